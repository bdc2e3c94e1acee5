export interface Pages {
  readonly index: string;
  readonly input: Readonly<Record<string, string>>;
  readonly minified: boolean;
}
export function serve(
  port?: number,
  pages?: Pages,
): Promise<{ readonly origin: string; close(): Promise<void> }>;
