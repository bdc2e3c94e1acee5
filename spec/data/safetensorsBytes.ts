/** Safetensors files put together by hand, so that specs can make the ones no writer would. */

/** Length, header text and data bytes. `claimedLength` is written where a file should lie about its header. */
export function rawFile(
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(),
  claimedLength?: bigint,
) {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

/** A file whose header is this value, with `dataBytes` zero bytes of data. */
export function fileOf(header: unknown, dataBytes: number): Uint8Array {
  return rawFile(JSON.stringify(header), new Uint8Array(dataBytes));
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
