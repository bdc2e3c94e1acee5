/** Where the bytes of a safetensors file come from: memory here, a file on disk in node.ts, anything with ranged reads. */
import { SafetensorsError } from './error.ts';

export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** What errors call it: a path or a name. */
  readonly label: string;
  /** Exactly `length` bytes from `offset` on, in memory the caller may keep and alter. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Lets go of what reading holds open. */
  close?(): Promise<void>;
}

/** A file already in memory. */
export function bytesSource(bytes: Uint8Array, label = 'safetensors bytes'): ByteSource {
  return {
    size: bytes.length,
    label,
    async read(offset, length) {
      checkRange(offset, length, bytes.length, label);
      // Not bytes.slice, which in a Node Buffer is no copy.
      return Uint8Array.prototype.slice.call(bytes, offset, offset + length);
    },
  };
}

/** Throws unless [offset, offset + length) lies in a source of `size` bytes. */
export function checkRange(offset: number, length: number, size: number, label: string): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0) {
    if (offset + length <= size) return;
  }
  throw new SafetensorsError(label, `cannot read ${length} bytes at ${offset}: the file has ${size} bytes`);
}
