/**
 * Scaled dot-product attention, the paper's eq. (1):  softmax(Tril(QKᵀ)/√K)·V, heads in parallel.
 *
 * `attention` is one fused op, which computes in a wider precision where the backend can. `composedAttention` is its
 * twin written out, and says what it means; a spec holds the two together.
 *
 * B batch, H query heads, H_kv key and value heads, T queries, S keys, K head width
 */
import { where } from '../tensor/functions/index.ts';
import { apply, Tensor } from '../tensor/tensor.ts';

export interface AttentionOptions {
  /** Tril: query i of the last T positions sees keys 0…i + (S − T). */
  readonly causal: boolean;
  /** Which keys may be seen [B, S], bool (false at padding); default all. */
  readonly visible?: Tensor | undefined;
}

/** @shape q [B, H, T, K], k and v [B, H_kv, S, K] → [B, H, T, K] */
export function attention(q: Tensor, k: Tensor, v: Tensor, { causal, visible }: AttentionOptions): Tensor {
  return apply('attention', visible === undefined ? [q, k, v] : [q, k, v, visible], { causal });
}

/**
 * The same, composed: G = H/H_kv neighbouring query heads share a key head, along an axis of their own that keys and
 * values broadcast over.
 */
export function composedAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { causal, visible }: AttentionOptions,
): Tensor {
  const [B, H, T, K] = q.shape;
  const [, heads, S] = k.shape;
  const grouped = q.mul(1 / Math.sqrt(K)).reshape(B, heads, H / heads, T, K);
  const scores = grouped.matmul(k.unsqueeze(2).transpose()); // [B, H_kv, G, T, S]
  const scalar = (value: number) => Tensor.full([], value, { dtype: q.dtype });
  // Hidden twice: out of the row's sum, and to zero where a row sees nothing at all.
  const hide = (x: Tensor, value: number) =>
    visible === undefined ? x : where(visible.reshape(B, 1, 1, 1, S), x, scalar(value));
  const P = hide(hide(scores, -1e30).softmax({ causal }), 0);
  return P.matmul(v.unsqueeze(2)).reshape(B, H, T, K);
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
