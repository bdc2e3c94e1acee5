/**
 * Views of views: the same buffer under another shape, strides and offset, as `ndarray` does it. Nothing is copied
 * and nothing is checked here; the ops check first.
 */
import type { View } from '../kernels/backend.ts';
import { denseStrides, isDense } from '../kernels/views.ts';

export function permuteView(x: View, axes: readonly number[]): View {
  return { ...x, shape: axes.map((a) => x.shape[a]), strides: axes.map((a) => x.strides[a]) };
}

/** Elements start, start + step, … (`length` of them) of one axis. */
export function sliceView(x: View, axis: number, start: number, length: number, step = 1): View {
  return {
    buffer: x.buffer,
    shape: x.shape.map((n, a) => (a === axis ? length : n)),
    strides: x.strides.map((s, a) => (a === axis ? s * step : s)),
    offset: x.offset + start * x.strides[axis],
  };
}

/** Broadcast to `shape`: missing leading axes and axes of size 1 get stride 0. */
export function expandView(x: View, shape: readonly number[]): View {
  const lead = shape.length - x.shape.length;
  const strides = shape.map((n, a) =>
    a < lead || (x.shape[a - lead] === 1 && n !== 1) ? 0 : x.strides[a - lead],
  );
  return { ...x, shape, strides };
}

/**
 * The same elements in another shape of equal size, or null where that needs a copy. Beside dense views it handles
 * those whose axes of size ≠ 1 can be merged group by group (a folded batch of a transposed matrix, say).
 */
export function reshapeView(x: View, shape: readonly number[]): View | null {
  if (isDense(x)) return { ...x, shape, strides: denseStrides(shape) };
  const from = x.shape.map((n, a) => ({ n, stride: x.strides[a] })).filter(({ n }) => n !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  let i = 0;
  let j = 0;
  while (i < from.length) {
    let oldSize = from[i].n;
    let newSize = 1;
    const i0 = i;
    const j0 = j;
    while (j < shape.length && (newSize < oldSize || newSize === 1)) newSize *= shape[j++];
    while (newSize !== oldSize) {
      if (newSize < oldSize) {
        if (j === shape.length) return null;
        newSize *= shape[j++];
      } else {
        if (++i === from.length) return null;
        oldSize *= from[i].n;
      }
    }
    for (let k = i0; k < i; k++) if (from[k].stride !== from[k + 1].stride * from[k + 1].n) return null;
    let stride = from[i].stride;
    for (let k = j - 1; k >= j0; k--) {
      strides[k] = stride;
      stride *= shape[k];
    }
    i++;
  }
  return { ...x, shape, strides };
}
