/**
 * Scaled dot-product attention, the paper's eq. (1):  softmax(Tril(QKᵀ)/√K + mask)·V, heads in parallel.
 *
 * Grouped queries: with fewer key/value heads than query heads, G = H/H_kv neighbouring query heads share one. The
 * group is an axis of its own, along which keys and values broadcast without a copy.
 *
 * B batch, H query heads, H_kv key/value heads, T queries, S keys, K head width
 */
import { ShapeError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface AttentionOptions {
  /** Tril: query i of the last T positions sees keys 0…i + (S − T). */
  readonly causal: boolean;
  /** Added to the scores, [B, S]: 0 where a key may be seen, a large negative number where not (padding). */
  readonly keyMask?: Tensor | undefined;
}

/** @shape q [B, H, T, K], k and v [B, H_kv, S, K] → [B, H, T, K] */
export function attention(q: Tensor, k: Tensor, v: Tensor, { causal, keyMask }: AttentionOptions): Tensor {
  const [B, H, T, K] = q.shape;
  const [, heads, S] = k.shape;
  if (H % heads !== 0) {
    throw new ShapeError({
      op: 'attention',
      argument: 'k',
      axis: 1,
      got: { q, k, v },
      rule: `${H} query heads do not share ${heads} key heads evenly`,
    });
  }
  const grouped = q.mul(1 / Math.sqrt(K)).reshape(B, heads, H / heads, T, K); // [B, H_kv, G, T, K]
  let scores = grouped.matmul(k.unsqueeze(2).transpose()); // [B, H_kv, G, T, S]
  if (keyMask !== undefined) scores = scores.add(keyMask.reshape(B, 1, 1, 1, S));
  return scores.softmax({ causal }).matmul(v.unsqueeze(2)).reshape(B, H, T, K);
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
