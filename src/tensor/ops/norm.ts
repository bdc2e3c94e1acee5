/**
 * Normalisation over the last axis of width D. Written out: `layerNorm` and `rmsNorm` in composed.ts.
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
 * Step by step: docs/derivations/norm.md.
 */
import type { View } from '../../kernels/index.ts';
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
};
