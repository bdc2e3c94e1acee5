/** The package as npm would publish it. */
export interface Packed {
  readonly tarball: string;
  /** Paths in the package. */
  readonly files: readonly string[];
  readonly bytes: number;
}
export function pack(folder: string): Packed;
