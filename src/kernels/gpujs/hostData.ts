/** While only some kernels are GPU.js functions, buffers are the host's: this is how kernels see their numbers. */
import type { BufferHandle } from '../backend.ts';
import type { HostBuffer } from '../heap.ts';

/** The elements of a float32 buffer, uncopied; valid until the next allocation. */
export function float32Of(buffer: BufferHandle): Float32Array {
  const { data } = buffer as HostBuffer;
  if (!(data instanceof Float32Array)) {
    throw new Error(
      `gpujs: buffer is ${buffer.dtype} and not in host memory, expected float32 of this backend`,
    );
  }
  return data;
}
