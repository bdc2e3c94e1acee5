/**
 * LayerNorm (Ba et al., arXiv 1607.06450) and RMSNorm (Zhang and Sennrich, arXiv 1910.07467) over the last axis.
 * With n = (x − mean)·rstd and g = dy·weight:  dx = rstd·(g − mean(g) − n·mean(g·n)),  dweight = Σ dy·n,  dbias = Σ dy over the
 * rows; RMSNorm is the same with mean 0 and without mean(g).
 */
import type { Backend, View } from '../backend.ts';
import { denseView } from '../views.ts';
import type { Engine } from './engine.ts';
import { CHUNKS, chunksOf, program, sumInChunks } from './program.ts';
import { at, ELEMENT, element, ofRow, ROW, rowSizes } from './rows.ts';

const SUMMED = { integers: ['width', ...CHUNKS] };

const MEAN = program('rowMean', {
  ...SUMMED,
  arrays: ['x'],
  body: `${sumInChunks('sum', 'width', (k) => at('x', ROW, k))}
  return sum / width;`,
});

/** 1/√(mean of squares of x − mean + eps) */
const RSTD = program('rowRstd', {
  ...SUMMED,
  arrays: ['x', 'mean'],
  floats: ['eps'],
  body: `
  const m = ${ofRow('mean', ROW)};${sumInChunks('sum', 'width', () => 'd * d', `const d = ${at('x', ROW, '$k')} - m;`)}
  return 1.0 / Math.sqrt(sum / width + eps);`,
});

const RMS = program('rowRms', {
  ...SUMMED,
  arrays: ['x'],
  floats: ['eps'],
  body: `${sumInChunks('sum', 'width', () => 'v * v', `const v = ${at('x', ROW, '$k')};`)}
  return 1.0 / Math.sqrt(sum / width + eps);`,
});

const WEIGHT = 'weight[~~column + weightAt]';

const LAYER_NORM = program('layerNorm', {
  arrays: ['x', 'weight', 'bias', 'mean', 'rstd'],
  integers: ['width'],
  body: `${ELEMENT}
  return (${element('x')} - ${ofRow('mean')}) * ${ofRow('rstd')} * ${WEIGHT} + bias[~~column + biasAt];`,
});

const RMS_NORM = program('rmsNorm', {
  arrays: ['x', 'weight', 'rstd'],
  integers: ['width'],
  body: `${ELEMENT}
  return ${WEIGHT} * (${element('x')} * ${ofRow('rstd')});`,
});

/** n = (x − mean)·rstd */
const NORMALIZED = program('normalized', {
  arrays: ['x', 'mean', 'rstd'],
  integers: ['width'],
  body: `${ELEMENT}
  return (${element('x')} - ${ofRow('mean')}) * ${ofRow('rstd')};`,
});

const SCALED = program('scaledByRow', {
  arrays: ['x', 'rstd'],
  integers: ['width'],
  body: `${ELEMENT}
  return ${element('x')} * ${ofRow('rstd')};`,
});

const PRODUCT = program('product', {
  arrays: ['a', 'b'],
  body: `return ${element('a')} * ${element('b')};`,
});

/** mean(dy·weight) of each row */
const MEAN_G = program('meanG', {
  ...SUMMED,
  arrays: ['dy', 'weight'],
  body: `${sumInChunks('sum', 'width', (k) => `${at('dy', ROW, k)} * weight[${k} + weightAt]`)}
  return sum / width;`,
});

/** mean(dy·weight·n) of each row */
const MEAN_GN = program('meanGn', {
  ...SUMMED,
  arrays: ['dy', 'weight', 'n'],
  body: `${sumInChunks('sum', 'width', (k) => `${at('dy', ROW, k)} * weight[${k} + weightAt] * ${at('n', ROW, k)}`)}
  return sum / width;`,
});

const LAYER_NORM_BACKWARD = program('layerNormBackward', {
  arrays: ['dy', 'weight', 'n', 'rstd', 'meanG', 'meanGn'],
  integers: ['width'],
  body: `${ELEMENT}
  const g = ${element('dy')} * ${WEIGHT};
  return ${ofRow('rstd')} * (g - ${ofRow('meanG')} - ${element('n')} * ${ofRow('meanGn')});`,
});

const RMS_NORM_BACKWARD = program('rmsNormBackward', {
  arrays: ['dy', 'weight', 'n', 'rstd', 'meanGn'],
  integers: ['width'],
  body: `${ELEMENT}
  return ${ofRow('rstd')} * (${element('dy')} * ${WEIGHT} - ${element('n')} * ${ofRow('meanGn')});`,
});

type NormKernels = Pick<Backend, 'layerNorm' | 'layerNormBackward' | 'rmsNorm' | 'rmsNormBackward'>;

export function normKernels(engine: Engine, sum: Backend['sum']): NormKernels {
  const { compute, dense } = engine;

  /** Σ over the rows of dense x [..., D] → [D] */
  function sumOfRows(x: View): View {
    const { rows, width } = rowSizes('norm', x);
    return denseView(sum(denseView(x.buffer, [rows, width]), [0]).buffer, [width]);
  }

  return {
    layerNorm(given, weight, bias, eps) {
      const [x, w, b] = [given, weight, bias].map(dense);
      const { width, perRow } = rowSizes('layerNorm', x);
      const integers = [width, ...chunksOf(width)];
      const mean = compute(MEAN, [x], { integers }, perRow);
      const rstd = compute(RSTD, [x, mean], { integers, floats: [eps] }, perRow);
      const y = compute(LAYER_NORM, [x, w, b, mean, rstd], { integers: [width] }, x.shape);
      return { y, mean, rstd };
    },

    layerNormBackward(given, weight, mean, rstd, dy) {
      const [x, w, mu, scale, d] = [given, weight, mean, rstd, dy].map(dense);
      const { width, perRow } = rowSizes('layerNorm', x);
      const integers = [width, ...chunksOf(width)];
      const element = { integers: [width] };
      const n = compute(NORMALIZED, [x, mu, scale], element, x.shape);
      const g = compute(MEAN_G, [d, w], { integers }, perRow);
      const gn = compute(MEAN_GN, [d, w, n], { integers }, perRow);
      return {
        dx: compute(LAYER_NORM_BACKWARD, [d, w, n, scale, g, gn], element, x.shape),
        dweight: sumOfRows(compute(PRODUCT, [d, n], {}, x.shape)),
        dbias: sumOfRows(d),
      };
    },

    rmsNorm(given, weight, eps) {
      const [x, w] = [given, weight].map(dense);
      const { width, perRow } = rowSizes('rmsNorm', x);
      const numbers = { integers: [width, ...chunksOf(width)], floats: [eps] };
      const rstd = compute(RMS, [x], numbers, perRow);
      return { y: compute(RMS_NORM, [x, w, rstd], { integers: [width] }, x.shape), rstd };
    },

    rmsNormBackward(given, weight, rstd, dy) {
      const [x, w, scale, d] = [given, weight, rstd, dy].map(dense);
      const { width, perRow } = rowSizes('rmsNorm', x);
      const element = { integers: [width] };
      const n = compute(SCALED, [x, scale], element, x.shape);
      const gn = compute(MEAN_GN, [d, w, n], { integers: [width, ...chunksOf(width)] }, perRow);
      return {
        dx: compute(RMS_NORM_BACKWARD, [d, w, n, scale, gn], element, x.shape),
        dweight: sumOfRows(compute(PRODUCT, [d, n], {}, x.shape)),
      };
    },
  };
}
