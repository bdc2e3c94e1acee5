/**
 * Scaled dot-product attention, the paper's eq. (1):  softmax(Tril(QKᵀ)/√K)·V, heads in parallel.
 *
 * `attention` is one fused op, which computes in a wider precision where the backend can; written out it stands in
 * tensor/composed.ts.
 *
 * B batch, H query heads, H_kv key and value heads, T queries, S keys, K head width
 */
import { apply, type Tensor } from '../tensor/index.ts';

export interface AttentionOptions {
  /** Tril: query i of the last T positions sees keys 0…i + (S − T). */
  readonly causal: boolean;
  /** Which keys may be seen [B, S], bool (false at padding); default all. */
  readonly visible?: Tensor | undefined;
}

/**
 * softmax(Tril(QKᵀ)/√K)·V as one fused op; `composed.attention` (composed.ts) is its definition.
 * @shape q [B, H, T, K], k and v [B, H_kv, S, K] → [B, H, T, K]
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, { causal, visible }: AttentionOptions): Tensor {
  return apply('attention', visible === undefined ? [q, k, v] : [q, k, v, visible], { causal });
}

/** [B, T, H·K] → [B, H, T, K] */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [B, T, width] = x.shape;
  return x.reshape(B, T, heads, width / heads).permute(0, 2, 1, 3);
}

/** [B, H, T, K] → [B, T, H·K] */
export function mergeHeads(x: Tensor): Tensor {
  const [B, H, T, K] = x.shape;
  return x.permute(0, 2, 1, 3).reshape(B, T, H * K);
}
