/** Rows by index: embedding lookup, token routing, and their gradient. */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { copyElements, forEachLine } from './lines.ts';

export function indexingKernels(heap: Heap): Pick<Backend, 'gatherRows' | 'scatterAddRows'> {
  return {
    gatherRows(x, index) {
      const N = index.shape[0];
      const y = result(heap, [N, ...x.shape.slice(1)], x.buffer.dtype);
      const [Y, X, I] = [asNdarray(y), asNdarray(x), asNdarray(index)];
      for (let n = 0; n < N; n++) copyElements(Y.pick(n), X.pick(I.get(n)));
      return y;
    },

    scatterAddRows(x, index, rows) {
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
