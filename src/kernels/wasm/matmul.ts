/** Matrix product in float32: which compiled kernel, and over which batches. M rows, N columns, K terms per sum. */
import type { Backend } from '../backend.ts';
import { denseView, sizeOf } from '../views.ts';
import { SCRATCH, type Wasm } from './module.ts';
import { collapse } from './strided.ts';

/** Up to this many rows a product reads B once and is as fast as memory: packing B first would double that. */
const FEW_ROWS = 4;

export function matmulKernel({ heap, kernels }: Wasm, host: Backend): Backend['matmul'] {
  /** One product; row and column strides in elements, addresses in bytes. */
  function multiply(
    M: number,
    N: number,
    K: number,
    a: number,
    [aRow, aCol]: readonly number[],
    b: number,
    [bRow, bCol]: readonly number[],
    c: number,
  ): void {
    if (M <= FEW_ROWS && aCol === 1 && bRow === 1) {
      kernels.gemvRows(M, N, K, a, aRow * 4, b, bCol * 4, c, N * 4);
    } else if (M <= FEW_ROWS && bCol === 1) {
      kernels.gemvColumns(M, N, K, a, aRow * 4, aCol * 4, b, bRow * 4, c, N * 4);
    } else if (N === 1 && aCol === 1 && bRow === 1) {
      // A · v is vᵀ · Aᵀ with A stored as the transpose that gemvRows wants.
      kernels.gemvRows(1, M, K, b, 0, a, aRow * 4, c, 0);
    } else {
      kernels.gemm(M, N, K, a, aRow * 4, aCol * 4, b, bRow * 4, bCol * 4, c, N * 4, SCRATCH);
    }
  }

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
    const batch = collapse(lead, [a.strides.slice(0, axes), b.strides.slice(0, axes)]);
    const [aLead, bLead] = batch.strides;
    // One matrix B under many A whose rows follow each other: x [B, T, K] · W is one product of B·T rows.
    const last = batch.shape.length - 1;
    if (bLead[last] === 0 && (M === 1 || aLead[last] === M * aMatrix[0])) {
      if (M === 1) aMatrix[0] = aLead[last];
      M *= batch.shape[last];
      batch.shape[last] = 1;
    }

    const products = sizeOf(batch.shape);
    const aStart = heap.addressOf(a);
    const bStart = heap.addressOf(b);
    const cStart = heap.addressOf(c);
    for (let product = 0; product < products; product++) {
      const aAt = aStart + 4 * positionOf(product, batch.shape, aLead);
      const bAt = bStart + 4 * positionOf(product, batch.shape, bLead);
      multiply(M, N, K, aAt, aMatrix, bAt, bMatrix, cStart + 4 * product * M * N);
    }
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
