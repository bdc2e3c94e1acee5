/**
 * What was written in place, and when: a gradient must be computed from the values of the forward pass, so a value that
 * was overwritten since is refused where backward reads it, as PyTorch does by its version counters. Backward may look at
 * the shape of such a value, or not look at it at all.
 */
import type { BufferHandle, View } from '../kernels/index.ts';

/** Times a buffer was written in place. Views share it, as they share the memory. */
export function versionOf(buffer: BufferHandle): number {
  return buffer.version ?? 0;
}

/** Notes that the elements of a buffer are others now. */
export function written(buffer: BufferHandle): void {
  buffer.version = versionOf(buffer) + 1;
}

/**
 * The view, if its elements are still those of a version; otherwise one that throws as soon as they are used, and of which
 * dtype, shape and length alone can be asked.
 * @param what names it, for the message
 */
export function asOf(version: number, view: View, what: () => string): View {
  const { buffer, shape } = view;
  if (versionOf(buffer) === version) return view;
  const handle = new Proxy(buffer, {
    get(target, key) {
      if (key === 'dtype' || key === 'length') return target[key];
      throw new Error(
        `backward(): ${what()}, ${buffer.dtype}[${shape}], was changed in place after the forward pass: its ` +
          `gradient needs the values of version ${version}, it is at version ${versionOf(buffer)}. Change it after ` +
          'backward(), or give the op a copy.',
      );
    },
  });
  return { ...view, buffer: handle };
}
