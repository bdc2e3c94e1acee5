/** Numbers on their way into a tensor: nested arrays, flat arrays and ndarrays as typed arrays in row-major order. */
import type { NdArray } from 'ndarray';
import { type DType, dtypeOf, HOST_ARRAY, type HostArray, requireInt32, sizeOf } from '../kernels/index.ts';
import { DTypeError, ShapeError } from './errors.ts';

/** Numbers in nested arrays of equal lengths. */
export type Nested = number | readonly Nested[];

/** @throws ShapeError where the arrays are ragged */
export function flattened(values: Nested): { readonly flat: number[]; readonly shape: number[] } {
  const shape: number[] = [];
  for (let level: Nested = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  const flat: number[] = [];
  const walk = (level: Nested, axis: number): void => {
    if (Array.isArray(level) ? level.length !== shape[axis] : axis !== shape.length) {
      const rule = 'nested arrays are ragged';
      throw new ShapeError({ op: 'Tensor.from', argument: 'values', axis, got: {}, rule });
    }
    if (Array.isArray(level)) for (const inner of level) walk(inner, axis + 1);
    else flat.push(level as number);
  };
  walk(values, 0);
  return { flat, shape };
}

/**
 * @throws ShapeError where there are more or fewer numbers than the shape holds, RangeError where an int32 is to hold NaN or
 * what is beyond its range
 */
export function hostArray(values: ArrayLike<number>, shape: readonly number[], dtype: DType): HostArray {
  if (values.length !== sizeOf(shape)) {
    const rule = `${values.length} numbers do not fill the shape [${shape.join(',')}]`;
    throw new ShapeError({ op: 'Tensor.fromArray', argument: 'values', got: {}, rule });
  }
  const data = new HOST_ARRAY[dtype](values.length);
  if (dtype === 'bool') for (let i = 0; i < values.length; i++) data[i] = values[i] === 0 ? 0 : 1;
  else {
    if (dtype === 'int32' && !(values instanceof Int32Array))
      for (let i = 0; i < values.length; i++) requireInt32('Tensor.fromArray', i, values[i]);
    data.set(values);
  }
  return data;
}

const isHostArray = (data: unknown): data is HostArray =>
  data instanceof Float32Array ||
  data instanceof Float64Array ||
  data instanceof Int32Array ||
  data instanceof Uint8Array;

/** @throws DTypeError where the numbers are of a type that no dtype stands for, and none is given */
export function ndarrayNumbers(
  array: NdArray,
  given: DType | undefined,
): { readonly values: Float64Array; readonly shape: number[]; readonly dtype: DType } {
  const dtype = given ?? (isHostArray(array.data) ? dtypeOf(array.data) : undefined);
  if (dtype === undefined) {
    const rule = `say which dtype a ${array.dtype} ndarray becomes`;
    throw new DTypeError({ op: 'Tensor.fromNdarray', argument: 'array', got: {}, rule });
  }
  const shape = [...array.shape];
  const values = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < values.length; i++) {
    values[i] = Number(array.get(...index));
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return { values, shape, dtype };
}
