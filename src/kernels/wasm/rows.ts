/** Kernels over the rows of the last axis: sums, softmax, cross-entropy, norms, rotary embedding. */
import type { Backend, View } from '../backend.ts';
import { isDense, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';

/** Elements of a long sum that are added up together (assembly/reduce.ts). */
const STRETCH = 65_536;

type RowKernels = Pick<
  Backend,
  | 'sum'
  | 'softmax'
  | 'softmaxBackward'
  | 'crossEntropy'
  | 'crossEntropyBackward'
  | 'layerNorm'
  | 'layerNormBackward'
  | 'rmsNorm'
  | 'rmsNormBackward'
  | 'rotary'
>;

/** Width of the last axis and number of rows; no rows where the width is 0. */
function rowsOf(x: View): { D: number; R: number } {
  const D = x.shape[x.shape.length - 1];
  return { D, R: D === 0 ? 0 : sizeOf(x.shape) / D };
}

/** The same elements with the axes in another order. */
function permuted(x: View, axes: readonly number[]): View {
  return { ...x, shape: axes.map((axis) => x.shape[axis]), strides: axes.map((axis) => x.strides[axis]) };
}

export function rowKernels(parts: Parts): RowKernels {
  const { heap, kernels, pool, host } = parts;
  const at = (view: View): number => heap.addressOf(view);

  /** The gradients of x, weight and, with a mean, bias. */
  function normBackward(x: View, weight: View, mean: View | null, rstd: View, dy: View): readonly View[] {
    const { D, R } = rowsOf(x);
    const [dx, dweight, dbias] = [result(parts, x.shape), result(parts, [D]), result(parts, [D])];
    // The gradients of weight and bias are added up over stretches of rows, at most 16 of them and only the shape says
    // which, so that the sums are the same whoever takes them: of each 2·D float64, and 2·D float32 to work with.
    const stretch = 32 * Math.ceil(R / 512);
    const count = Math.ceil(R / Math.max(1, stretch));
    const bytes = 16 * D + 32 * Math.ceil(D / 4);
    const work = heap.allocate('float32', (count * bytes) / 4, false);
    withDense(parts, [x, weight, rstd, dy, mean ?? rstd], ([from, w, r, d, m]) => {
      const calls = Array.from({ length: count }, (_, i) => {
        const begin = i * stretch;
        const rows = Math.min(stretch, R - begin);
        const skip = 4 * begin * D;
        const centre = mean ? m + 4 * begin : 0;
        const [scale, sums] = [r + 4 * begin, work.pointer + i * bytes];
        return [rows, D, from + skip, w, centre, scale, d + skip, at(dx) + skip, sums];
      });
      pool.run('normBackward', calls, R * D);
    });
    kernels.addPartials(count, D, work.pointer, bytes, at(dweight));
    kernels.addPartials(mean ? count : 0, D, work.pointer + 8 * D, bytes, at(dbias));
    heap.release(work);
    return [dx, dweight, dbias];
  }

  /** Sum of n numbers by stretches, whose sums are added in order. */
  function sumOfRow(n: number, from: number, to: number): void {
    const count = Math.ceil(n / STRETCH);
    const sums = heap.allocate('float64', count, false);
    pool.split('sumStretches', count, STRETCH, (i, some) => [i, i + some, n, from, sums.pointer]);
    kernels.addPartials(count, 1, sums.pointer, 8, to);
    heap.release(sums);
  }

  return {
    sum(x, axes) {
      if (!isFloat32(x) || axes.length === 0) return host.sum(x, axes);
      const y = result(
        parts,
        x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
      );
      // [outer, summed, inner] with the summed axes side by side; if they are not, they are moved to the end.
      const adjacent = axes[axes.length - 1] - axes[0] === axes.length - 1;
      const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const source = adjacent && isDense(x) ? x : permuted(x, [...kept, ...axes]);
      const begin = source === x ? axes[0] : kept.length;
      const outer = sizeOf(source.shape.slice(0, begin));
      const summed = sizeOf(source.shape.slice(begin, begin + axes.length));
      const inner = sizeOf(source.shape.slice(begin + axes.length));
      withDense(parts, [source], ([from]) => {
        const to = at(y);
        if (inner > 1) {
          for (let o = 0; o < outer; o++) {
            const [block, row] = [from + 4 * o * summed * inner, to + 4 * o * inner];
            const call = (i: number, count: number) => [summed, count, block + 4 * i, 4 * inner, row + 4 * i];
            pool.split('sumColumns', inner, summed, call, 16);
          }
        } else if (outer > 1) {
          pool.split('sumRows', outer, summed, (r, count) => [
            count,
            summed,
            from + 4 * r * summed,
            to + 4 * r,
          ]);
        } else if (outer === 1) sumOfRow(summed, from, to);
      });
      return y;
    },

    softmax(x, options) {
      if (!isFloat32(x)) return host.softmax(x, options);
      const { D: N, R } = rowsOf(x);
      const y = result(parts, x.shape);
      const M = options.causal ? x.shape[x.shape.length - 2] : 1;
      withDense(parts, [x], (addresses) => {
        const all = [...addresses, at(y)];
        const ahead = options.causal ? N - M : N;
        const call = (r: number, count: number) => [
          count,
          N,
          ...all.map((from) => from + 4 * r * N),
          M,
          ahead,
        ];
        pool.split('softmax', R, N, call, M);
      });
      return y;
    },

    softmaxBackward(y, dy) {
      if (!isFloat32(y)) return host.softmaxBackward(y, dy);
      const { D, R } = rowsOf(y);
      const dx = result(parts, y.shape);
      withDense(parts, [y, dy], (addresses) => {
        const all = [...addresses, at(dx)];
        pool.split('softmaxBackward', R, D, (r, count) => [count, D, ...all.map((from) => from + 4 * r * D)]);
      });
      return dx;
    },

    crossEntropy(x, targets, ignoreIndex) {
      const [R, V] = x.shape;
      if (!isFloat32(x) || V === 0) return host.crossEntropy(x, targets, ignoreIndex);
      const [loss, logSumExp] = [result(parts, [R]), result(parts, [R])];
      withDense(parts, [x, targets], ([from, t]) =>
        pool.split('crossEntropy', R, V, (r, count) => [
          count,
          V,
          from + 4 * r * V,
          t + 4 * r,
          ignoreIndex,
          at(loss) + 4 * r,
          at(logSumExp) + 4 * r,
        ]),
      );
      return { loss, logSumExp };
    },

    crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss) {
      if (!isFloat32(x)) return host.crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss);
      const [R, V] = x.shape;
      const dx = result(parts, x.shape);
      withDense(parts, [x, targets, logSumExp, dloss], ([from, t, log, d]) =>
        pool.split('crossEntropyBackward', R, V, (r, count) => [
          count,
          V,
          from + 4 * r * V,
          t + 4 * r,
          ignoreIndex,
          log + 4 * r,
          d + 4 * r,
          at(dx) + 4 * r * V,
        ]),
      );
      return dx;
    },

    layerNorm(x, weight, bias, eps) {
      const { D, R } = rowsOf(x);
      if (!isFloat32(x) || D === 0) return host.layerNorm(x, weight, bias, eps);
      const rowShape = x.shape.with(-1, 1);
      const [y, mean, rstd] = [result(parts, x.shape), result(parts, rowShape), result(parts, rowShape)];
      withDense(parts, [x, weight, bias], ([from, w, b]) =>
        pool.split('layerNorm', R, D, (r, count) => [
          count,
          D,
          from + 4 * r * D,
          w,
          b,
          eps,
          at(y) + 4 * r * D,
          at(mean) + 4 * r,
          at(rstd) + 4 * r,
        ]),
      );
      return { y, mean, rstd };
    },

    layerNormBackward(x, weight, mean, rstd, dy) {
      if (!isFloat32(x)) return host.layerNormBackward(x, weight, mean, rstd, dy);
      const [dx, dweight, dbias] = normBackward(x, weight, mean, rstd, dy);
      return { dx, dweight, dbias };
    },

    rmsNorm(x, weight, eps) {
      const { D, R } = rowsOf(x);
      if (!isFloat32(x) || D === 0) return host.rmsNorm(x, weight, eps);
      const [y, rstd] = [result(parts, x.shape), result(parts, x.shape.with(-1, 1))];
      withDense(parts, [x, weight], ([from, w]) =>
        pool.split('rmsNorm', R, D, (r, count) => [
          count,
          D,
          from + 4 * r * D,
          w,
          eps,
          at(y) + 4 * r * D,
          at(rstd) + 4 * r,
        ]),
      );
      return { y, rstd };
    },

    rmsNormBackward(x, weight, rstd, dy) {
      if (!isFloat32(x)) return host.rmsNormBackward(x, weight, rstd, dy);
      const [dx, dweight, unused] = normBackward(x, weight, null, rstd, dy);
      heap.release(unused.buffer);
      return { dx, dweight };
    },

    rotary(x, cos, sin, inverse) {
      const lastDense = [x, cos, sin].every((view) => view.strides[view.strides.length - 1] === 1);
      if (!isFloat32(x) || !lastDense) return host.rotary(x, cos, sin, inverse);
      const [B, H, T, K] = x.shape;
      const y = result(parts, x.shape);
      const [xB, xH, xT] = x.strides.map((step) => step * 4);
      const [cB, cT] = cos.strides.map((step) => step * 4);
      const [sB, sT] = sin.strides.map((step) => step * 4);
      const sign = inverse ? -1 : 1;
      // By batch, or by head where there is one batch: cos and sin belong to the batch.
      const byBatch = B > 1;
      const [xStep, cStep, sStep] = byBatch ? [xB, cB, sB] : [xH, 0, 0];
      const yStep = 4 * (byBatch ? H : 1) * T * K;
      pool.split('rotary', byBatch ? B : H, yStep / 4, (i, count) => [
        ...(byBatch ? [count, H] : [B, count]),
        T,
        K / 2,
        at(x) + i * xStep,
        xB,
        xH,
        xT,
        at(cos) + i * cStep,
        cB,
        cT,
        at(sin) + i * sStep,
        sB,
        sT,
        sign,
        at(y) + i * yStep,
      ]);
      return y;
    },
  };
}
