/** Arithmetic on shapes and strides that kernels and tensors share. Counts are in elements. */
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
