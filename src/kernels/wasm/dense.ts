/** Kernels over dense float32 arrays get them here, whatever the strides of the views they are called with. */
import type { Backend, View } from '../backend.ts';
import { denseView, isDense, sizeOf } from '../views.ts';
import type { Wasm } from './module.ts';

/** What the accelerated kernels are built from: memory, compiled code, and the host kernels to fall back on. */
export interface Parts extends Wasm {
  readonly host: Backend;
  readonly copy: (x: View) => View;
}

export function isFloat32(x: View): boolean {
  return x.buffer.dtype === 'float32';
}

/** A fresh dense float32 array; its content is undefined. */
export function result({ heap }: Parts, shape: readonly number[]): View {
  return denseView(heap.allocate('float32', sizeOf(shape), false), [...shape]);
}

/** Runs `compute` on the addresses of dense versions of the views; copies made for that are released afterwards. */
export function withDense<T>(
  { heap, copy }: Parts,
  views: readonly View[],
  compute: (addresses: readonly number[]) => T,
): T {
  const copies: View[] = [];
  const addresses = views.map((view) => {
    if (isDense(view)) return heap.addressOf(view);
    const dense = copy(view);
    copies.push(dense);
    return heap.addressOf(dense);
  });
  const out = compute(addresses);
  for (const { buffer } of copies) heap.release(buffer);
  return out;
}
