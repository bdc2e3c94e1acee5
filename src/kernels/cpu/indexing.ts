/** Rows by index: embedding lookup, token routing, and their gradient. */
import type { Backend, View } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { copyElements, forEachLine } from './lines.ts';

/** @throws RangeError naming the first index that is not one of the rows */
export function requireRows(kernel: string, index: View, rows: number): void {
  const I = asNdarray(index);
  for (let n = 0; n < index.shape[0]; n++) {
    const row = I.data[I.offset + n * I.stride[0]];
    if (row >= 0 && row < rows) continue;
    throw new RangeError(`${kernel}: index[${n}] is ${row}, expected one of the ${rows} rows 0…${rows - 1}`);
  }
}

export function indexingKernels(heap: Heap): Pick<Backend, 'gatherRows' | 'scatterAddRows'> {
  return {
    gatherRows(x, index) {
      requireRows('gatherRows', index, x.shape[0]);
      const N = index.shape[0];
      const y = result(heap, [N, ...x.shape.slice(1)], x.buffer.dtype);
      const [Y, X, I] = [asNdarray(y), asNdarray(x), asNdarray(index)];
      for (let n = 0; n < N; n++) copyElements(Y.pick(n), X.pick(I.get(n)));
      return y;
    },

    scatterAddRows(x, index, rows) {
      requireRows('scatterAddRows', index, rows);
      const y = result(heap, [rows, ...x.shape.slice(1)], x.buffer.dtype, true);
      const [Y, X, I] = [asNdarray(y), asNdarray(x), asNdarray(index)];
      const [ys, xs] = [Y.data, X.data];
      for (let n = 0; n < index.shape[0]; n++)
        forEachLine([Y.pick(I.get(n)), X.pick(n)], (count, [yAt, xAt], [yStep, xStep]) => {
          for (let j = 0; j < count; j++) ys[yAt + j * yStep] += xs[xAt + j * xStep];
        });
      return y;
    },
  };
}
