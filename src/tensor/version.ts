/**
 * What was written in place, and when: a gradient must be computed from the values of the forward pass, so a value that
 * was overwritten since is refused where backward reads it, as PyTorch does by its version counters. Backward may look at
 * the shape of such a value, or not look at it at all.
 */
import type { BufferHandle, View } from '../kernels/index.ts';

/** Times a buffer was written in place. Views share it, as they share the memory. */
const versions = new WeakMap<BufferHandle, number>();

const versionOf = (buffer: BufferHandle): number => versions.get(buffer) ?? 0;

/** Notes that the elements of a buffer are others now. */
export function written(buffer: BufferHandle): void {
  versions.set(buffer, versionOf(buffer) + 1);
}

/**
 * The view as it is now, for later: asked again it gives the view, or, where its elements have changed since, one that
 * throws as soon as they are used.
 * @param what names it, for the message
 */
export function snapshot(view: View, what: () => string): (where: () => string) => View {
  const { buffer } = view;
  const version = versionOf(buffer);
  return (where) => (versionOf(buffer) === version ? view : changed(view, version, what, where));
}

/** A view of which dtype, shape and length can be asked, but no element. */
function changed(view: View, version: number, what: () => string, where: () => string): View {
  const { buffer, shape } = view;
  const handle = new Proxy(buffer, {
    get(target, key) {
      if (key === 'dtype' || key === 'length') return target[key];
      throw new Error(
        `backward(): ${what()} of ${where()}, ${buffer.dtype}[${shape}], was changed in place after the forward pass: its ` +
          `gradient needs the values of version ${version}, it is at version ${versionOf(buffer)}. Change it after ` +
          'backward(), or give the op a copy.',
      );
    },
  });
  return { ...view, buffer: handle };
}
