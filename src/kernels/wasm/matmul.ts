/** Matrix products in float32, batch by batch. M rows, N columns, K terms per sum. */
import type { Backend } from '../backend.ts';
import { denseView, mergeAxes, sizeOf } from '../views.ts';
import type { Wasm } from './module.ts';
import { type Product, productCalls } from './products.ts';

export function matmulKernel({ heap, pool }: Wasm, host: Backend): Backend['matmul'] {
  return (a, b) => {
    if (a.buffer.dtype !== 'float32') return host.matmul(a, b);
    const axes = a.shape.length - 2;
    const lead = a.shape.slice(0, axes);
    let M = a.shape[axes];
    const K = a.shape[axes + 1];
    const N = b.shape[axes + 1];
    const shape = [...lead, M, N];
    const c = denseView(heap.allocate('float32', sizeOf(shape), false), shape);
    if (c.buffer.length === 0) return c;

    const aMatrix = a.strides.slice(axes);
    const bMatrix = b.strides.slice(axes);
    const batch = mergeAxes(lead, [a.strides.slice(0, axes), b.strides.slice(0, axes)], 1);
    const [aLead, bLead] = batch.strides;
    // One matrix B under many A whose rows follow each other: x [B, T, K] · W is one product of B·T rows.
    const last = batch.shape.length - 1;
    if (bLead[last] === 0 && (M === 1 || aLead[last] === M * aMatrix[0])) {
      if (M === 1) aMatrix[0] = aLead[last];
      M *= batch.shape[last];
      batch.shape[last] = 1;
    }

    const [aRow, aCol] = aMatrix.map((step) => step * 4);
    const [bRow, bCol] = bMatrix.map((step) => step * 4);
    const aStart = heap.addressOf(a);
    const bStart = heap.addressOf(b);
    const cStart = heap.addressOf(c);
    const products = Array.from(
      { length: sizeOf(batch.shape) },
      (_, i): Product => ({
        m: M,
        n: N,
        k: K,
        a: aStart + 4 * positionOf(i, batch.shape, aLead),
        aRow,
        aCol,
        b: bStart + 4 * positionOf(i, batch.shape, bLead),
        bRow,
        bCol,
        c: cStart + 4 * i * M * N,
        cRow: 4 * N,
      }),
    );
    const { kernel, calls } = productCalls(products, pool.threads);
    pool.run(kernel, calls, (products.length * M * N * K) / 12);
    return c;
  };
}

/** Offset of the element with row-major number `index`. */
function positionOf(index: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = index;
  let at = 0;
  for (let axis = shape.length - 1; axis >= 0 && rest > 0; axis--) {
    const n = shape[axis];
    at += (rest % n) * strides[axis];
    rest = Math.floor(rest / n);
  }
  return at;
}
