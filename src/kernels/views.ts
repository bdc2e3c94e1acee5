/**
 * Arithmetic on shapes and strides, for kernels and tensors: views of views have the same buffer under another shape, strides and
 * offset, as `ndarray` does it. Nothing is copied and nothing is checked here; the ops check first. Counts are in elements.
 */
import type { BufferHandle, DType, HostArray, HostArrays, View } from './backend.ts';

export const HOST_ARRAY: { readonly [D in DType]: new (length: number) => HostArrays[D] } = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
};

export function dtypeOf(data: HostArray): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  return 'bool';
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Row-major strides. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** The whole of a buffer as a row-major array. */
export function denseView(buffer: BufferHandle, shape: readonly number[]): View {
  return { buffer, shape, strides: denseStrides(shape), offset: 0 };
}

/** True where the elements lie one after the other in row-major order, wherever they begin. */
export function isDense(view: View): boolean {
  let step = 1;
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const n = view.shape[axis];
    if (n === 0) return true;
    if (n !== 1 && view.strides[axis] !== step) return false;
    step *= n;
  }
  return true;
}

/** The same elements with the last two axes swapped. */
export function swapLastTwo(view: View): View {
  const { shape, strides } = view;
  const n = shape.length;
  return {
    ...view,
    shape: [...shape.slice(0, n - 2), shape[n - 1], shape[n - 2]],
    strides: [...strides.slice(0, n - 2), strides[n - 1], strides[n - 2]],
  };
}

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

/** Broadcast to `shape`: missing leading axes and axes of size 1 get stride 0. A view that has the shape is given back. */
export function expandView(x: View, shape: readonly number[]): View {
  const { buffer, offset } = x;
  const lead = shape.length - x.shape.length;
  let differs = lead > 0;
  const strides = new Array<number>(shape.length).fill(0);
  for (let a = Math.max(lead, 0); a < shape.length; a++) {
    const grows = x.shape[a - lead] !== shape[a];
    if (grows) differs = true;
    else strides[a] = x.strides[a - lead];
  }
  return differs ? { buffer, shape, strides, offset } : x;
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

/** Axes of several operands of one shape. */
export interface Axes {
  readonly shape: number[];
  /** One list per operand. */
  readonly strides: number[][];
}

/**
 * The same elements in the same order with as few axes as the strides of all operands allow: axes of size 1 go, and neighbours
 * that every operand steps through evenly become one. Fewer than `least` axes are filled up with axes of one element.
 */
export function mergeAxes(
  shape: readonly number[],
  operands: readonly (readonly number[])[],
  least = 0,
): Axes {
  const merged: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === 1) continue;
    const last = merged.length - 1;
    // Axes a, a + 1 are one axis where a step along a is a whole run along a + 1, in every operand.
    const joins = last >= 0 && operands.every((steps, k) => strides[k][last] === size * steps[axis]);
    if (joins) merged[last] *= size;
    else merged.push(size);
    for (let k = 0; k < operands.length; k++) {
      if (joins) strides[k][last] = operands[k][axis];
      else strides[k].push(operands[k][axis]);
    }
  }
  while (merged.length < least) {
    merged.push(1);
    for (const steps of strides) steps.push(1);
  }
  return { shape: merged, strides };
}
