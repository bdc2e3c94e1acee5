/**
 * From views to numbers: what every cpu kernel begins and ends with.
 *
 * A kernel allocates its results first (`result`) and looks at numbers after that (`asNdarray`, `dataOf`), because
 * allocating may move the memory behind `.data` (see heap.ts). It takes no temporary buffers from the heap at all: any
 * strides are walked where they lie, and scratch is a plain Float64Array.
 */
import ndarray from 'ndarray';
import type { DType, HostArray, View } from '../backend.ts';
import type { Heap, HostBuffer } from '../heap.ts';
import { denseView, sizeOf } from '../views.ts';

/** A view with its numbers at hand: { data, shape, stride, offset } of the `ndarray` package. */
export type Strided = ndarray.NdArray<HostArray>;

/** A fresh row-major array; its content is undefined unless `zero`. */
export function result(heap: Heap, shape: readonly number[], dtype: DType, zero = false): View {
  return denseView(heap.allocate(dtype, sizeOf(shape), zero), [...shape]);
}

/** The typed array under a view, valid until the next allocation. Throws once the buffer was released. */
export function dataOf(view: View): HostArray {
  return (view.buffer as HostBuffer).data;
}

/** The view as an ndarray over the same memory, valid until the next allocation. */
export function asNdarray(view: View): Strided {
  return strided(dataOf(view), view.shape, view.strides, view.offset);
}

/** An ndarray over `data`; no copy. */
export function strided(
  data: HostArray,
  shape: readonly number[],
  stride: readonly number[],
  offset: number,
): Strided {
  return ndarray(data, [...shape], [...stride], offset);
}
