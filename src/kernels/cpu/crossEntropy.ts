/** Cross-entropy of logits x [R, V] against target classes [R], from the log-sum-exp of each row. */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, dataOf, result } from './host.ts';
import { forEachRow } from './lines.ts';

export function crossEntropyKernels(heap: Heap): Pick<Backend, 'crossEntropy' | 'crossEntropyBackward'> {
  return {
    crossEntropy(x, targets, ignoreIndex) {
      const [R, V] = x.shape;
      const loss = result(heap, [R], x.buffer.dtype);
      const logSumExp = result(heap, [R], x.buffer.dtype);
      const [losses, logs] = [dataOf(loss), dataOf(logSumExp)];
      const [X, T] = [asNdarray(x), asNdarray(targets)];
      const xs = X.data;
      const step = X.stride[1];
      forEachRow([X], ([at], r) => {
        let max = Number.NEGATIVE_INFINITY;
        for (let v = 0; v < V; v++) max = Math.max(max, xs[at + v * step]);
        let sum = 0;
        for (let v = 0; v < V; v++) sum += Math.exp(xs[at + v * step] - max);
        const log = max === Number.NEGATIVE_INFINITY ? max : max + Math.log(sum);
        const target = T.get(r);
        logs[r] = log;
        losses[r] = target === ignoreIndex ? 0 : log - xs[at + target * step];
      });
      return { loss, logSumExp };
    },

    crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss) {
      const V = x.shape[1];
      const dx = result(heap, x.shape, x.buffer.dtype, true);
      const dxs = dataOf(dx);
      const [X, T, L, DL] = [asNdarray(x), asNdarray(targets), asNdarray(logSumExp), asNdarray(dloss)];
      const xs = X.data;
      const step = X.stride[1];
      forEachRow([X], ([at], r) => {
        const target = T.get(r);
        if (target === ignoreIndex) return;
        const [log, dl] = [L.get(r), DL.get(r)];
        for (let v = 0; v < V; v++)
          dxs[r * V + v] = dl * (Math.exp(xs[at + v * step] - log) - (v === target ? 1 : 0));
      });
      return dx;
    },
  };
}
