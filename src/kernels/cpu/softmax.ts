/** Softmax over rows, with the causal rule of the decoder's attention. M rows of a matrix, N columns. */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { forEachRow } from './lines.ts';

export function softmaxKernels(heap: Heap): Pick<Backend, 'softmax' | 'softmaxBackward'> {
  return {
    softmax(x, { causal }) {
      const N = x.shape[x.shape.length - 1];
      const M = x.shape[x.shape.length - 2];
      const step = x.strides[x.strides.length - 1];
      // Zeros stay where the mask hides a column, and in rows that see nothing.
      const y = result(heap, x.shape, x.buffer.dtype, true);
      const [Y, X] = [asNdarray(y), asNdarray(x)];
      const [ys, xs] = [Y.data, X.data];
      const e = new Float64Array(N);
      forEachRow([Y, X], ([yAt, xAt], row) => {
        const seen = causal ? Math.max(0, (row % M) + N - M + 1) : N;
        let max = Number.NEGATIVE_INFINITY;
        for (let j = 0; j < seen; j++) max = Math.max(max, xs[xAt + j * step]);
        if (max === Number.NEGATIVE_INFINITY) return;
        let sum = 0;
        for (let j = 0; j < seen; j++) {
          e[j] = Math.exp(xs[xAt + j * step] - max);
          sum += e[j];
        }
        for (let j = 0; j < seen; j++) ys[yAt + j] = e[j] / sum;
      });
      return y;
    },

    softmaxBackward(y, dy) {
      const N = y.shape[y.shape.length - 1];
      const dx = result(heap, y.shape, y.buffer.dtype);
      const [DX, Y, DY] = [asNdarray(dx), asNdarray(y), asNdarray(dy)];
      const [dxs, ys, dys] = [DX.data, Y.data, DY.data];
      const yStep = y.strides[y.strides.length - 1];
      const dyStep = dy.strides[dy.strides.length - 1];
      // yᵢ = eᵢ/Σe, so ∂yⱼ/∂xᵢ = yⱼ(δᵢⱼ − yᵢ), and Σⱼ dyⱼ ∂yⱼ/∂xᵢ = yᵢ(dyᵢ − Σⱼ dyⱼ yⱼ).
      forEachRow([DX, Y, DY], ([dxAt, yAt, dyAt]) => {
        let dot = 0;
        for (let j = 0; j < N; j++) dot += dys[dyAt + j * dyStep] * ys[yAt + j * yStep];
        for (let j = 0; j < N; j++) dxs[dxAt + j] = ys[yAt + j * yStep] * (dys[dyAt + j * dyStep] - dot);
      });
      return dx;
    },
  };
}
