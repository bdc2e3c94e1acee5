/**
 * Where host kernels keep their numbers. The cpu backend takes typed arrays from the JavaScript heap; the wasm backend
 * puts the same arrays into WebAssembly memory, so that plain TypeScript kernels run on them unchanged.
 *
 * Growing WebAssembly memory may detach the views made before it: a kernel allocates its results first and takes
 * `.data` of any buffer after that, and keeps no `.data` across calls.
 */
import type { BufferHandle, BufferSet, DType, HostArray, ReleasedBy } from './backend.ts';

export interface HostBuffer extends BufferHandle {
  /** The elements, valid until the next allocation. Throws once the buffer was released. */
  readonly data: HostArray;
}

export interface Heap {
  /** A buffer of `length` elements; its content is undefined unless `zero`. */
  allocate(dtype: DType, length: number, zero: boolean): HostBuffer;
  release(buffer: BufferHandle, by?: ReleasedBy): void;
  park(buffer: BufferHandle): void;
  memory(): { readonly bytes: number; readonly buffers: number };
  openScope(): void;
  closeScope(keep: BufferSet, by?: ReleasedBy): void;
}
