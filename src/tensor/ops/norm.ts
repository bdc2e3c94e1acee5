/**
 * Normalisation over the last axis of width D.
 *
 *   layerNorm  y = x̂ ⊙ w + b,  x̂ = (x − μ)·r,  μ = mean x,  r = 1/√(mean (x − μ)² + ε)
 *   rmsNorm    y = w ⊙ x̂,      x̂ = x·r,        r = 1/√(mean x² + ε)
 *
 * Gradients, with g = dy ⊙ w: x̂ depends on each x_j directly (r), through r (∂r/∂x_j = −r²·x̂_j/D) and, in
 * layerNorm, through μ. Collected:
 *
 *   layerNorm  ∂x = r·(g − mean g − x̂·mean(g ⊙ x̂)),   ∂w = Σ_rows dy ⊙ x̂,   ∂b = Σ_rows dy
 *   rmsNorm    ∂x = r·(g − x̂·mean(g ⊙ x̂)),            ∂w = Σ_rows dy ⊙ x̂
 *
 * The weight multiplies in the precision of x̂, before anything is rounded (the released RMSNorm does it in float32,
 * then casts; LLaMA's casts first).
 */
import type { View } from '../../kernels/backend.ts';
import { ShapeError, typeOf } from '../errors.ts';
import { type Op, once } from '../op.ts';
import { requireDType, requireSameDType } from '../shape.ts';

export interface NormAttrs {
  readonly eps: number;
}

function checkWidth(op: string, argument: string, x: View, w: View): void {
  if (x.shape.length > 0 && w.shape.length === 1 && w.shape[0] === x.shape[x.shape.length - 1]) return;
  throw new ShapeError({
    op,
    argument,
    axis: -1,
    got: { x: typeOf(x), [argument]: typeOf(w) },
    rule: 'needs one number for each column of x',
  });
}

export const layerNorm: Op<NormAttrs> = {
  name: 'layerNorm',
  inputs: ['x', 'weight', 'bias'],
  check([x, weight, bias]) {
    requireDType('layerNorm', 'x', x);
    requireSameDType('layerNorm', { x, weight, bias });
    checkWidth('layerNorm', 'weight', x, weight);
    checkWidth('layerNorm', 'bias', x, bias);
  },
  forward(k, [x, weight, bias], { eps }) {
    const { y, mean, rstd } = k.layerNorm(x, weight, bias, eps);
    return { out: y, saved: [mean, rstd] };
  },
  backward({ k, inputs: [x, weight], saved: [mean, rstd], dy }) {
    const all = once(() => k.layerNormBackward(x, weight, mean, rstd, dy));
    return [() => all().dx, () => all().dweight, () => all().dbias];
  },
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 5] }, { shape: [5] }, { shape: [5] }], attrs: { eps: 1e-6 } },
    {
      note: 'three axes',
      inputs: [{ shape: [2, 3, 4] }, { shape: [4] }, { shape: [4] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'transposed',
      inputs: [{ shape: [4, 3], layout: 'transposed' }, { shape: [3], layout: 'strided' }, { shape: [3] }],
      attrs: { eps: 1e-5 },
    },
    { note: 'no rows', inputs: [{ shape: [0, 3] }, { shape: [3] }, { shape: [3] }], attrs: { eps: 1e-5 } },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1] }, { shape: [1] }, { shape: [1] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'wide',
      inputs: [{ shape: [2, 1000] }, { shape: [1000] }, { shape: [1000] }],
      attrs: { eps: 1e-6 },
    },
    {
      note: 'equal numbers, whose variance is 0',
      inputs: [{ shape: [1, 4], values: [3, 3, 3, 3] }, { shape: [4] }, { shape: [4] }],
      attrs: { eps: 1e-2 },
    },
    {
      note: 'far values',
      inputs: [{ shape: [2, 4], range: [-1e4, 1e4] }, { shape: [4] }, { shape: [4] }],
      attrs: { eps: 1e-6 },
    },
    {
      note: 'weight = bias',
      inputs: [{ shape: [2, 4] }, { shape: [4] }, { shape: [4], layout: 'same' }],
      attrs: { eps: 1e-5 },
    },
  ],
  errors: [
    {
      note: 'weight of another width',
      inputs: [{ shape: [3, 5] }, { shape: [4] }, { shape: [5] }],
      attrs: { eps: 1e-6 },
      error: 'ShapeError',
      says: 'weight: needs one number for each column of x (axis -1): x is float64[3,5], weight is float64[4]',
    },
    {
      note: 'bias of another width',
      inputs: [{ shape: [3, 5] }, { shape: [5] }, { shape: [4] }],
      attrs: { eps: 1e-6 },
      error: 'ShapeError',
      says: 'bias: needs one number for each column of x (axis -1): x is float64[3,5], bias is float64[4]',
    },
    {
      note: 'integers',
      inputs: [{ shape: [1, 2], dtype: 'int32' }, { shape: [2] }, { shape: [2] }],
      attrs: { eps: 1e-6 },
      error: 'DTypeError',
      says: 'x: needs float32 or float64: x is int32[1,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 2] }, { shape: [2] }, { shape: [2], dtype: 'float32' }],
      attrs: { eps: 1e-6 },
      error: 'DTypeError',
      says: 'dtypes differ (bias is not float64)',
    },
  ],
};

export const rmsNorm: Op<NormAttrs> = {
  name: 'rmsNorm',
  inputs: ['x', 'weight'],
  check([x, weight]) {
    requireDType('rmsNorm', 'x', x);
    requireSameDType('rmsNorm', { x, weight });
    checkWidth('rmsNorm', 'weight', x, weight);
  },
  forward(k, [x, weight], { eps }) {
    const { y, rstd } = k.rmsNorm(x, weight, eps);
    return { out: y, saved: [rstd] };
  },
  backward({ k, inputs: [x, weight], saved: [rstd], dy }) {
    const all = once(() => k.rmsNormBackward(x, weight, rstd, dy));
    return [() => all().dx, () => all().dweight];
  },
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 5] }, { shape: [5] }], attrs: { eps: 1e-5 } },
    { note: 'three axes', inputs: [{ shape: [2, 3, 4] }, { shape: [4] }], attrs: { eps: 1e-5 } },
    {
      note: 'transposed',
      inputs: [{ shape: [4, 3], layout: 'transposed' }, { shape: [3] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'strided',
      inputs: [
        { shape: [2, 4], layout: 'strided' },
        { shape: [4], layout: 'strided' },
      ],
      attrs: { eps: 1e-5 },
    },
    { note: 'no rows', inputs: [{ shape: [0, 3] }, { shape: [3] }], attrs: { eps: 1e-5 } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1] }], attrs: { eps: 1e-5 } },
    { note: 'wide', inputs: [{ shape: [2, 1000] }, { shape: [1000] }], attrs: { eps: 1e-5 } },
    {
      note: 'far values',
      inputs: [{ shape: [2, 4], range: [-1e4, 1e4] }, { shape: [4] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'x = weight',
      inputs: [{ shape: [4] }, { shape: [4], layout: 'same' }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'a row of zeros',
      inputs: [{ shape: [1, 2], values: [0, 0] }, { shape: [2] }],
      attrs: { eps: 1e-2 },
    },
  ],
  errors: [
    {
      note: 'weight of another width',
      inputs: [{ shape: [3, 5] }, { shape: [3] }],
      attrs: { eps: 1e-5 },
      error: 'ShapeError',
      says: 'weight: needs one number for each column of x (axis -1): x is float64[3,5], weight is float64[3]',
    },
    {
      note: 'a column of weights',
      inputs: [{ shape: [3, 5] }, { shape: [5, 1] }],
      attrs: { eps: 1e-5 },
      error: 'ShapeError',
      says: 'weight: needs one number for each column of x (axis -1): x is float64[3,5], weight is float64[5,1]',
    },
    {
      note: 'integers',
      inputs: [{ shape: [1, 2], dtype: 'int32' }, { shape: [2] }],
      attrs: { eps: 1e-5 },
      error: 'DTypeError',
      says: 'x: needs float32 or float64: x is int32[1,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 2] }, { shape: [2], dtype: 'float32' }],
      attrs: { eps: 1e-5 },
      error: 'DTypeError',
      says: 'dtypes differ (weight is not float64)',
    },
  ],
};
