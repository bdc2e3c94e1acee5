/**
 * The fused ops written out with plainer primitives, as the formulas stand in the papers. `composedAttention`, the twin of
 * attention, is part of the library.
 */
import { concat, Tensor, where } from '../../src/tensor/index.ts';

const scalar = (value: number, like: Tensor) => Tensor.full([], value, { dtype: like.dtype });

/** True where row i of M may see column j of N: j ≤ i + N − M. */
export function trilMask(M: number, N: number): Tensor {
  const seen = Array.from({ length: M * N }, (_, n) => Number((n % N) - Math.floor(n / N) <= N - M));
  return Tensor.fromArray(seen, [M, N], { dtype: 'bool' });
}

/** e^x / Σ e^x */
export function softmaxTwin(x: Tensor, causal: boolean): Tensor {
  const [M, N] = x.shape.slice(-2);
  const e = x.sub(x.max(-1, true)).exp();
  const seen = causal ? where(trilMask(M, N), e, scalar(0, x)) : e;
  return seen.div(seen.sum(-1, true));
}

/** ln Σ e^x − x_target for each row; 0 where ignored. */
export function crossEntropyTwin(logits: Tensor, targets: readonly number[], ignoreIndex: number): Tensor {
  const [R, V] = logits.shape;
  const hit = Tensor.fromArray(
    Array.from({ length: R * V }, (_, n) => Number(targets[Math.floor(n / V)] === n % V)),
    [R, V],
    { dtype: logits.dtype },
  );
  const counts = Tensor.fromArray(
    targets.map((target) => Number(target !== ignoreIndex)),
    [R],
    { dtype: logits.dtype },
  );
  const max = logits.max(1, true);
  const logSumExp = logits.sub(max).exp().sum(1).log().add(max.reshape(R));
  return logSumExp.sub(logits.mul(hit).sum(1)).mul(counts);
}

/** (x − mean)/√(var + ε)·w + b */
export function layerNormTwin(x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
  const centred = x.sub(x.mean(-1, true));
  const variance = centred.mul(centred).mean(-1, true);
  return centred.div(variance.add(eps).sqrt()).mul(weight).add(bias);
}

/** x/√(mean x² + ε)·w */
export function rmsNormTwin(x: Tensor, weight: Tensor, eps: number): Tensor {
  return x.div(x.mul(x).mean(-1, true).add(eps).sqrt()).mul(weight);
}

/** [x₀cos − x₁sin | x₀sin + x₁cos]; x [B, H, T, K], cos and sin [B, T, K/2] */
export function rotaryTwin(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const half = x.shape[3] / 2;
  const [x0, x1] = [x.slice(3, 0, half), x.slice(3, half)];
  const [c, s] = [cos.unsqueeze(1), sin.unsqueeze(1)];
  return concat([x0.mul(c).sub(x1.mul(s)), x0.mul(s).add(x1.mul(c))], 3);
}

/** 1/(1 + e^−x) */
export function sigmoidTwin(x: Tensor): Tensor {
  return scalar(1, x).div(x.neg().exp().add(1));
}

/** x·sigmoid(x) */
export function siluTwin(x: Tensor): Tensor {
  return x.mul(sigmoidTwin(x));
}

/** x/2·(1 + erf(x/√2)) */
export function geluTwin(x: Tensor): Tensor {
  return x.mul(0.5).mul(x.div(Math.SQRT2).erf().add(1));
}

export function swigluTwin(gate: Tensor, up: Tensor): Tensor {
  return siluTwin(gate).mul(up);
}
