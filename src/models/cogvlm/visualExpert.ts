/**
 * The visual expert (CogVLM §2.1): in every layer image tokens have a QKV matrix, an output projection and an FFN of
 * their own, and text tokens keep the language model's.
 *
 *   eq. (1)  Attention(X, W_I, W_T) = softmax(Tril(QKᵀ)/√K) V
 *   eq. (2)  Q = concat(X_I W_I^Q, X_T W_T^Q), K = concat(X_I W_I^K, X_T W_T^K), V = concat(X_I W_I^V, X_T W_T^V)
 *   eq. (3)  FFN(X) = concat(FFN_I(X_I), FFN_T(X_T))
 *
 * Tril lets every token see itself and those before it, image tokens included; `trilMask` of masks.ts is the matrix to look
 * at. X_I and X_T are all image and all text tokens of the batch (expertRouting.ts); where there are none, a tensor
 * without rows.
 *
 * B batch, T sequence, S keys, D width, H heads, H_kv of keys and values, K head width (the paper's D in eq. (1)); n_I and
 * n_T image and text tokens of the whole batch
 */

import {
  applyRotary,
  attention,
  Linear,
  Module,
  mergeHeads,
  type RotaryAngles,
  RotaryEmbedding,
  SwiGLU,
  splitHeads,
  type WeightOptions,
} from '../../nn/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import type { CogVLMConfig } from './config.ts';
import type { ExpertRouting } from './expertRouting.ts';
import type { LayerCache } from './kvCache.ts';

/** What every layer of one forward pass shares. */
export interface LayerContext {
  readonly routing: ExpertRouting;
  /** Token positions [B, T]. */
  readonly positions: readonly (readonly number[])[];
  /** False at padded keys, [B, S]; undefined where nothing is padded. */
  readonly visible: Tensor | undefined;
}

export class VisionExpertAttention extends Module<
  [X: Tensor, context: LayerContext, cache?: LayerCache],
  Tensor
> {
  readonly vision_expert_query_key_value: Linear;
  readonly vision_expert_dense: Linear;
  readonly language_expert_query_key_value: Linear;
  readonly language_expert_dense: Linear;
  readonly rotary_emb: RotaryEmbedding;
  readonly #heads: number;
  readonly #kvHeads: number;

  constructor(config: CogVLMConfig, weights: WeightOptions) {
    super();
    const { hiddenSize: D, numAttentionHeads: H, numKeyValueHeads: kv } = config;
    const headDim = D / H;
    const qkv = (bias: boolean) =>
      new Linear({ inFeatures: D, outFeatures: (H + 2 * kv) * headDim, bias, ...weights });
    const dense = () => new Linear({ inFeatures: D, outFeatures: D, bias: false, ...weights });
    this.vision_expert_query_key_value = qkv(config.visionExpertQkvBias);
    this.vision_expert_dense = dense();
    this.language_expert_query_key_value = qkv(false);
    this.language_expert_dense = dense();
    this.rotary_emb = new RotaryEmbedding({ headDim, base: config.ropeTheta, ...weights });
    this.#heads = H;
    this.#kvHeads = kv;
  }

  /** @shape X [B, T, D] → [B, T, D] */
  forward(X: Tensor, { routing, positions, visible }: LayerContext, cache?: LayerCache): Tensor {
    const { X_I, X_T } = routing.split(X); // [n_I, D], [n_T, D]

    // eq. (2); W^Q, W^K and W^V lie below one another in one matrix.
    const QKV = routing.concat(
      () => this.vision_expert_query_key_value.call(X_I),
      () => this.language_expert_query_key_value.call(X_T),
    ); // [B, T, (H + 2·H_kv)·K]
    const { Q, K, V } = this.#heads3(QKV, this.rotary_emb.call(positions)); // [B, H, T, K], [B, H_kv, T, K] twice
    const { keys, values } = cache?.append(K, V) ?? { keys: K, values: V }; // [B, H_kv, S, K]

    // eq. (1): causal is Tril, and padding is hidden as well.
    const A = mergeHeads(attention(Q, keys, values, { causal: true, visible })); // [B, T, D]

    // The output projection is doubled as well, which the paper does not say.
    const { X_I: A_I, X_T: A_T } = routing.split(A); // [n_I, D], [n_T, D]
    return routing.concat(
      () => this.vision_expert_dense.call(A_I),
      () => this.language_expert_dense.call(A_T),
    );
  }

  /** Rows of the fused projection are q, then k, then v; heads are contiguous in each. Q and K are turned. */
  #heads3(QKV: Tensor, angles: RotaryAngles): { Q: Tensor; K: Tensor; V: Tensor } {
    const headDim = QKV.shape[2] / (this.#heads + 2 * this.#kvHeads);
    const q = this.#heads * headDim;
    const kv = this.#kvHeads * headDim;
    const Q = splitHeads(QKV.slice(2, 0, q), this.#heads);
    const K = splitHeads(QKV.slice(2, q, q + kv), this.#kvHeads);
    const V = splitHeads(QKV.slice(2, q + kv), this.#kvHeads);
    return { Q: applyRotary(Q, angles), K: applyRotary(K, angles), V };
  }
}

/** The feed-forward network of both kinds, eq. (3). */
export class VisionExpertMLP extends Module<[X: Tensor, routing: ExpertRouting], Tensor> {
  readonly language_mlp: SwiGLU;
  readonly vision_mlp: SwiGLU;

  constructor(config: CogVLMConfig, weights: WeightOptions) {
    super();
    const sizes = { width: config.hiddenSize, intermediateSize: config.intermediateSize, ...weights };
    this.language_mlp = new SwiGLU(sizes);
    this.vision_mlp = new SwiGLU(sizes);
  }

  /** @shape X [B, T, D] → [B, T, D] */
  forward(X: Tensor, routing: ExpertRouting): Tensor {
    const { X_I, X_T } = routing.split(X); // [n_I, D], [n_T, D]
    return routing.concat(
      () => this.vision_mlp.call(X_I),
      () => this.language_mlp.call(X_T),
    );
  }
}
