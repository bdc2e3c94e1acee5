/**
 * What the fused ops mean: each written out with plainer ones, as the formula stands in the papers. An op is fused because one
 * pass over the data is faster and loses fewer digits; verification holds every one against its definition, in value and
 * gradient. A fused op without a definition does not compile.
 *
 * R rows, D width, V classes; B batch, H query heads, G query heads that share a key head, T queries, S keys, K head width
 */
import { concat, where } from './functions/index.ts';
import type { fused, OpAttrs } from './ops/index.ts';
import { Tensor } from './tensor.ts';

/** Ops that others can say; of the elementwise ones those that are no function of the textbooks. */
export type ComposedName = keyof typeof fused | 'sigmoid' | 'silu' | 'gelu';

/** From the inputs and attributes of the op. */
type Definition<N extends ComposedName> = (inputs: readonly Tensor[], attrs: OpAttrs[N]) => Tensor;

/** One number, for `where`. */
const number = (value: number, like: Tensor): Tensor => Tensor.full([], value, { dtype: like.dtype });

/** True where row i of M sees column j of N: j ≤ i + N − M. */
function tril(M: number, N: number): Tensor {
  const [i, j] = [Tensor.arange(M).unsqueeze(1), Tensor.arange(N)];
  return j.le(i.add(N - M));
}

const sigmoid = (x: Tensor): Tensor => x.neg().exp().add(1).pow(-1);
const silu = (x: Tensor): Tensor => x.mul(sigmoid(x));

export const composed: { readonly [N in ComposedName]: Definition<N> } = {
  /** 1/(1 + e^−x) */
  sigmoid: ([x]) => sigmoid(x),

  /** x·sigmoid(x) */
  silu: ([x]) => silu(x),

  /** x/2·(1 + erf(x/√2)) */
  gelu: ([x]) => x.mul(0.5).mul(x.div(Math.SQRT2).erf().add(1)),

  /** silu(gate) ⊙ up */
  swiglu: ([gate, up]) => silu(gate).mul(up),

  /** e^x / Σ e^x, with the largest x taken off; Tril: what a row does not see is −∞. */
  softmax([x], { causal }) {
    const [M, N] = x.shape.slice(-2);
    const seen = causal ? where(tril(M, N), x, number(Number.NEGATIVE_INFINITY, x)) : x;
    const e = seen.sub(seen.max(-1, true)).exp();
    return e.div(e.sum(-1, true));
  },

  /** ln Σ e^x − x_target for each row of [R, V]; 0 where the target is ignored. */
  crossEntropy([x, targets], { ignoreIndex }) {
    const max = x.max(1, true);
    const logSumExp = x.sub(max).exp().sum(1, true).log().add(max);
    const hit = Tensor.arange(x.shape[1]).eq(targets.unsqueeze(1)); // [R, V]
    const loss = logSumExp.sub(where(hit, x, number(0, x)).sum(1, true)).reshape(-1);
    return where(targets.eq(ignoreIndex), number(0, x), loss);
  },

  /** (x − mean)/√(var + ε)·w + b over the last axis, with the biased variance */
  layerNorm([x, weight, bias], { eps }) {
    const centred = x.sub(x.mean(-1, true));
    const variance = centred.mul(centred).mean(-1, true);
    return centred.div(variance.add(eps).sqrt()).mul(weight).add(bias);
  },

  /** x/√(mean x² + ε)·w over the last axis */
  rmsNorm: ([x, weight], { eps }) => x.div(x.mul(x).mean(-1, true).add(eps).sqrt()).mul(weight),

  /** [x₀cos − x₁sin | x₀sin + x₁cos]; x [B, H, T, K] = [x₀ | x₁], cos and sin [B, T, K/2] */
  rotary([x, cos, sin]) {
    const half = x.shape[3] / 2;
    const [x0, x1] = [x.slice(3, 0, half), x.slice(3, half)];
    const [c, s] = [cos.unsqueeze(1), sin.unsqueeze(1)];
    return concat([x0.mul(c).sub(x1.mul(s)), x0.mul(s).add(x1.mul(c))], 3);
  },

  /**
   * softmax(Tril(QKᵀ)/√K)·V. Query heads that share a key head have an axis G of their own, which keys and values broadcast
   * over. Keys that are not visible are hidden twice: out of the row's sum, and to 0 where a row sees nothing at all.
   */
  attention([q, k, v, visible], { causal }) {
    const [B, H, T, K] = q.shape;
    const [, heads, S] = k.shape;
    const hide = (x: Tensor, value: number) =>
      visible === undefined ? x : where(visible.reshape(B, 1, 1, 1, S), x, number(value, x));
    const Q = q.reshape(B, heads, H / heads, T, K).mul(1 / Math.sqrt(K));
    const scores = Q.matmul(k.unsqueeze(2).transpose()); // [B, H_kv, G, T, S]
    const pattern = hide(hide(scores, -1e30).softmax({ causal }), 0);
    return pattern.matmul(v.unsqueeze(2)).reshape(B, H, T, K);
  },
};
