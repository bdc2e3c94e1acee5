/** What goes wrong with a safetensors file, said with the file's label, the tensor and the numbers. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  /** Label of the file or folder: its path or name. */
  readonly file: string;
  /** The tensor concerned, where the error is about one. */
  readonly tensor: string | undefined;

  constructor(
    file: string,
    reason: string,
    options: { readonly tensor?: string; readonly cause?: unknown } = {},
  ) {
    const where = options.tensor === undefined ? file : `${file}, tensor ${JSON.stringify(options.tensor)}`;
    super(`${where}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.file = file;
    this.tensor = options.tensor;
  }
}
