export function compileRoofline(relaxed: boolean): Promise<Uint8Array<ArrayBuffer>>;
