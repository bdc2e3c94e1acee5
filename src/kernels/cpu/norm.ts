/**
 * LayerNorm (Ba et al., arXiv 1607.06450) and RMSNorm (Zhang and Sennrich, arXiv 1910.07467) over the last axis, D wide.
 * Statistics are taken in double precision.
 */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, dataOf, result } from './host.ts';
import { forEachRow } from './lines.ts';

type NormKernels = Pick<Backend, 'layerNorm' | 'layerNormBackward' | 'rmsNorm' | 'rmsNormBackward'>;

export function normKernels(heap: Heap): NormKernels {
  return {
    layerNorm(x, weight, bias, eps) {
      const axis = x.shape.length - 1;
      const D = x.shape[axis];
      const { dtype } = x.buffer;
      const y = result(heap, x.shape, dtype);
      const mean = result(heap, x.shape.with(axis, 1), dtype);
      const rstd = result(heap, x.shape.with(axis, 1), dtype);
      const [X, W, B] = [asNdarray(x), asNdarray(weight), asNdarray(bias)];
      const [ys, means, rstds] = [dataOf(y), dataOf(mean), dataOf(rstd)];
      const xs = X.data;
      const step = X.stride[axis];
      forEachRow([X], ([at], r) => {
        let sum = 0;
        for (let j = 0; j < D; j++) sum += xs[at + j * step];
        const mu = sum / D;
        let squares = 0;
        for (let j = 0; j < D; j++) squares += (xs[at + j * step] - mu) ** 2;
        const scale = 1 / Math.sqrt(squares / D + eps);
        means[r] = mu;
        rstds[r] = scale;
        for (let j = 0; j < D; j++) ys[r * D + j] = (xs[at + j * step] - mu) * scale * W.get(j) + B.get(j);
      });
      return { y, mean, rstd };
    },

    layerNormBackward(x, weight, mean, rstd, dy) {
      const axis = x.shape.length - 1;
      const D = x.shape[axis];
      const { dtype } = x.buffer;
      const dx = result(heap, x.shape, dtype);
      const dweight = result(heap, [D], dtype);
      const dbias = result(heap, [D], dtype);
      const [X, W, MEAN, RSTD, DY] = [x, weight, mean, rstd, dy].map(asNdarray);
      const [dxs, xs, dys] = [dataOf(dx), X.data, DY.data];
      const [step, dyStep] = [X.stride[axis], DY.stride[axis]];
      const [dw, db] = [new Float64Array(D), new Float64Array(D)];
      // With n = (x − mean)·rstd and g = dy·weight:  dweight = Σ dy·n,  dbias = Σ dy  over the rows, and, because mean
      // and variance depend on x too,  dx = rstd·(g − mean(g) − n·mean(g·n)).
      forEachRow([X, DY, MEAN, RSTD], ([at, dyAt, meanAt, rstdAt], r) => {
        const [mu, scale] = [MEAN.data[meanAt], RSTD.data[rstdAt]];
        let sumG = 0;
        let sumGN = 0;
        for (let j = 0; j < D; j++) {
          const n = (xs[at + j * step] - mu) * scale;
          const d = dys[dyAt + j * dyStep];
          const g = d * W.get(j);
          sumG += g;
          sumGN += g * n;
          dw[j] += d * n;
          db[j] += d;
        }
        for (let j = 0; j < D; j++) {
          const n = (xs[at + j * step] - mu) * scale;
          const g = dys[dyAt + j * dyStep] * W.get(j);
          dxs[r * D + j] = scale * (g - sumG / D - (n * sumGN) / D);
        }
      });
      dataOf(dweight).set(dw);
      dataOf(dbias).set(db);
      return { dx, dweight, dbias };
    },

    rmsNorm(x, weight, eps) {
      const axis = x.shape.length - 1;
      const D = x.shape[axis];
      const { dtype } = x.buffer;
      const y = result(heap, x.shape, dtype);
      const rstd = result(heap, x.shape.with(axis, 1), dtype);
      const [X, W] = [asNdarray(x), asNdarray(weight)];
      const [ys, rstds, xs] = [dataOf(y), dataOf(rstd), X.data];
      const step = X.stride[axis];
      forEachRow([X], ([at], r) => {
        let squares = 0;
        for (let j = 0; j < D; j++) squares += xs[at + j * step] ** 2;
        const scale = 1 / Math.sqrt(squares / D + eps);
        rstds[r] = scale;
        for (let j = 0; j < D; j++) ys[r * D + j] = W.get(j) * (xs[at + j * step] * scale);
      });
      return { y, rstd };
    },

    rmsNormBackward(x, weight, rstd, dy) {
      const axis = x.shape.length - 1;
      const D = x.shape[axis];
      const { dtype } = x.buffer;
      const dx = result(heap, x.shape, dtype);
      const dweight = result(heap, [D], dtype);
      const [X, W, RSTD, DY] = [x, weight, rstd, dy].map(asNdarray);
      const [dxs, xs, dys] = [dataOf(dx), X.data, DY.data];
      const [step, dyStep] = [X.stride[axis], DY.stride[axis]];
      const dw = new Float64Array(D);
      // As in LayerNorm with mean 0:  n = x·rstd,  g = dy·weight,  dx = rstd·(g − n·mean(g·n)).
      forEachRow([X, DY, RSTD], ([at, dyAt, rstdAt], r) => {
        const scale = RSTD.data[rstdAt];
        let sumGN = 0;
        for (let j = 0; j < D; j++) {
          const n = xs[at + j * step] * scale;
          const d = dys[dyAt + j * dyStep];
          sumGN += d * W.get(j) * n;
          dw[j] += d * n;
        }
        for (let j = 0; j < D; j++) {
          const n = xs[at + j * step] * scale;
          dxs[r * D + j] = scale * (dys[dyAt + j * dyStep] * W.get(j) - (n * sumGN) / D);
        }
      });
      dataOf(dweight).set(dw);
      return { dx, dweight };
    },
  };
}
