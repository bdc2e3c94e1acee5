/** Kernels over the rows of the last axis: sums, softmax, cross-entropy, norms, rotary embedding. */
import type { Backend, View } from '../backend.ts';
import { isDense, permuteView, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';
import { NORM_ROW_RUN, STRETCH } from './generated/signatures.ts';

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

export function rowKernels(parts: Parts): RowKernels {
  const { heap, kernels, pool, host } = parts;
  const at = (view: View): number => heap.addressOf(view);

  /** The gradients of x, weight and, with a mean, bias. */
  function normBackward(x: View, weight: View, mean: View | null, rstd: View, dy: View): readonly View[] {
    const { D, R } = rowsOf(x);
    const [dx, dweight, dbias] = [result(parts, x.shape), result(parts, [D]), result(parts, [D])];
    // The gradients of weight and bias are added up over stretches of rows, at most 16 of them and only the shape says
    // which, so that the sums are the same whoever takes them.
    const stretch = NORM_ROW_RUN * Math.ceil(R / (16 * NORM_ROW_RUN));
    const count = Math.ceil(R / Math.max(1, stretch));
    const bytes = kernels.normBackwardShare({ n: D });
    const work = heap.allocate('float32', (count * bytes) / 4, false);
    withDense(parts, [x, weight, rstd, dy, mean ?? rstd], ([from, w, r, d, m]) => {
      const calls = Array.from({ length: count }, (_, i) => {
        const begin = i * stretch;
        const rows = Math.min(stretch, R - begin);
        const skip = 4 * begin * D;
        return {
          rows,
          n: D,
          x: from + skip,
          weight: w,
          mean: mean ? m + 4 * begin : 0,
          rstd: r + 4 * begin,
          dy: d + skip,
          dx: at(dx) + skip,
          work: work.pointer + i * bytes,
        };
      });
      pool.run('normBackward', calls, R * D);
    });
    const sums = { n: D, row: bytes };
    kernels.addPartials({ ...sums, count, from: work.pointer, y: at(dweight) });
    kernels.addPartials({ ...sums, count: mean ? count : 0, from: work.pointer + 8 * D, y: at(dbias) });
    heap.release(work);
    return [dx, dweight, dbias];
  }

  /** Sum of n numbers by stretches, whose sums are added in order. */
  function sumOfRow(n: number, from: number, to: number): void {
    const count = Math.ceil(n / STRETCH);
    const sums = heap.allocate('float64', count, false);
    pool.split('sumStretches', count, STRETCH, (i, some) => ({
      from: i,
      to: i + some,
      n,
      x: from,
      sums: sums.pointer,
    }));
    kernels.addPartials({ count, n: 1, from: sums.pointer, row: 8, y: to });
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
      const source = adjacent && isDense(x) ? x : permuteView(x, [...kept, ...axes]);
      const begin = source === x ? axes[0] : kept.length;
      const outer = sizeOf(source.shape.slice(0, begin));
      const summed = sizeOf(source.shape.slice(begin, begin + axes.length));
      const inner = sizeOf(source.shape.slice(begin + axes.length));
      withDense(parts, [source], ([from]) => {
        const to = at(y);
        if (inner > 1) {
          for (let o = 0; o < outer; o++) {
            const [block, row] = [from + 4 * o * summed * inner, to + 4 * o * inner];
            pool.split(
              'sumColumns',
              inner,
              summed,
              (i, count) => ({
                rows: summed,
                n: count,
                x: block + 4 * i,
                row: 4 * inner,
                y: row + 4 * i,
              }),
              16,
            );
          }
        } else if (outer > 1) {
          pool.split('sumRows', outer, summed, (r, count) => ({
            rows: count,
            n: summed,
            x: from + 4 * r * summed,
            y: to + 4 * r,
          }));
        } else if (outer === 1) sumOfRow(summed, from, to);
      });
      return y;
    },

    softmax(x, options) {
      if (!isFloat32(x)) return host.softmax(x, options);
      const { D: N, R } = rowsOf(x);
      const y = result(parts, x.shape);
      const M = options.causal ? x.shape[x.shape.length - 2] : 1;
      withDense(parts, [x], ([from]) => {
        const to = at(y);
        const ahead = options.causal ? N - M : N;
        pool.split(
          'softmax',
          R,
          N,
          (r, count) => ({
            rows: count,
            n: N,
            x: from + 4 * r * N,
            y: to + 4 * r * N,
            period: M,
            ahead,
          }),
          M,
        );
      });
      return y;
    },

    softmaxBackward(y, dy) {
      if (!isFloat32(y)) return host.softmaxBackward(y, dy);
      const { D, R } = rowsOf(y);
      const dx = result(parts, y.shape);
      withDense(parts, [y, dy], ([from, d]) => {
        const to = at(dx);
        pool.split('softmaxBackward', R, D, (r, count) => ({
          rows: count,
          n: D,
          y: from + 4 * r * D,
          dy: d + 4 * r * D,
          dx: to + 4 * r * D,
        }));
      });
      return dx;
    },

    crossEntropy(x, targets, ignoreIndex) {
      const [R, V] = x.shape;
      if (!isFloat32(x) || V === 0) return host.crossEntropy(x, targets, ignoreIndex);
      const [loss, logSumExp] = [result(parts, [R]), result(parts, [R])];
      withDense(parts, [x, targets], ([from, t]) =>
        pool.split('crossEntropy', R, V, (r, count) => ({
          rows: count,
          n: V,
          x: from + 4 * r * V,
          targets: t + 4 * r,
          ignore: ignoreIndex,
          loss: at(loss) + 4 * r,
          logSumExp: at(logSumExp) + 4 * r,
        })),
      );
      return { loss, logSumExp };
    },

    crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss) {
      if (!isFloat32(x)) return host.crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss);
      const [R, V] = x.shape;
      const dx = result(parts, x.shape);
      withDense(parts, [x, targets, logSumExp, dloss], ([from, t, log, d]) =>
        pool.split('crossEntropyBackward', R, V, (r, count) => ({
          rows: count,
          n: V,
          x: from + 4 * r * V,
          targets: t + 4 * r,
          ignore: ignoreIndex,
          logSumExp: log + 4 * r,
          dloss: d + 4 * r,
          dx: at(dx) + 4 * r * V,
        })),
      );
      return dx;
    },

    layerNorm(x, weight, bias, eps) {
      const { D, R } = rowsOf(x);
      if (!isFloat32(x) || D === 0) return host.layerNorm(x, weight, bias, eps);
      const rowShape = x.shape.with(-1, 1);
      const [y, mean, rstd] = [result(parts, x.shape), result(parts, rowShape), result(parts, rowShape)];
      withDense(parts, [x, weight, bias], ([from, w, b]) =>
        pool.split('layerNorm', R, D, (r, count) => ({
          rows: count,
          n: D,
          x: from + 4 * r * D,
          weight: w,
          bias: b,
          eps,
          y: at(y) + 4 * r * D,
          mean: at(mean) + 4 * r,
          rstd: at(rstd) + 4 * r,
        })),
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
        pool.split('rmsNorm', R, D, (r, count) => ({
          rows: count,
          n: D,
          x: from + 4 * r * D,
          weight: w,
          eps,
          y: at(y) + 4 * r * D,
          rstd: at(rstd) + 4 * r,
        })),
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
      pool.split('rotary', byBatch ? B : H, yStep / 4, (i, count) => ({
        B: byBatch ? count : B,
        H: byBatch ? H : count,
        T,
        half: K / 2,
        x: at(x) + i * xStep,
        xB,
        xH,
        xT,
        cos: at(cos) + i * cStep,
        cB,
        cT,
        sin: at(sin) + i * sStep,
        sB,
        sT,
        sign,
        y: at(y) + i * yStep,
      }));
      return y;
    },
  };
}
