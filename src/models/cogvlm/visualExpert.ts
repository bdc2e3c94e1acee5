/**
 * The visual expert (CogVLM §2.1): in every layer image tokens have a QKV matrix, an output projection and an FFN of
 * their own, and text tokens keep the language model's.
 *
 *   eq. (1)  Attention(X, W_I, W_T) = softmax(Tril(QKᵀ)/√D) V
 *   eq. (2)  Q = concat(X_I W_I^Q, X_T W_T^Q), K = concat(X_I W_I^K, X_T W_T^K), V = concat(X_I W_I^V, X_T W_T^V)
 *   eq. (3)  FFN(X) = concat(FFN_I(X_I), FFN_T(X_T))
 *
 * B batch, T sequence, D width, H heads, K head width; n_I and n_T image and text tokens of the whole batch
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
} from '../../nn/index.ts';
import type { WeightOptions } from '../../nn/init.ts';
import { concat } from '../../tensor/functions/index.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { CogVLMConfig } from './config.ts';
import type { LayerCache } from './kvCache.ts';

/** X_I and X_T of one batch: which tokens go to which expert, and the way back into the order of the sequence. */
export class ExpertRouting {
  readonly #batch: number;
  readonly #length: number;
  readonly #image: Tensor | null;
  readonly #text: Tensor | null;
  readonly #restore: Tensor | null;

  /** @param mask [B, T], true for the vision expert */
  constructor(mask: readonly (readonly boolean[])[]) {
    this.#batch = mask.length;
    this.#length = mask[0].length;
    const flat = mask.flat();
    const indices = (wanted: boolean) => flat.flatMap((vision, i) => (vision === wanted ? [i] : []));
    const image = indices(true);
    const text = indices(false);
    const both = image.length > 0 && text.length > 0;
    const index = (rows: readonly number[]) => Tensor.fromArray(rows, [rows.length], { dtype: 'int32' });
    // concat puts token `order[n]` at row n; the way back is the inverse of that permutation.
    const restore = new Array<number>(flat.length);
    for (const [row, token] of [...image, ...text].entries()) restore[token] = row;
    this.#image = image.length > 0 ? index(image) : null;
    this.#text = text.length > 0 ? index(text) : null;
    this.#restore = both ? index(restore) : null;
  }

  /** @shape X [B, T, D] → X_I [n_I, D] and X_T [n_T, D]; null where no token is of that kind */
  split(X: Tensor): { X_I: Tensor | null; X_T: Tensor | null } {
    const rows = X.reshape(this.#batch * this.#length, X.shape[2]);
    if (this.#restore === null)
      return this.#image === null ? { X_I: null, X_T: rows } : { X_I: rows, X_T: null };
    return { X_I: rows.gatherRows(this.#image as Tensor), X_T: rows.gatherRows(this.#text as Tensor) };
  }

  /** concat(Y_I, Y_T) in the order of the sequence. @shape Y_I [n_I, D], Y_T [n_T, D] → [B, T, D] */
  concat(Y_I: Tensor | null, Y_T: Tensor | null): Tensor {
    const parts = [Y_I, Y_T].filter((part) => part !== null);
    const rows = this.#restore === null ? parts[0] : concat(parts).gatherRows(this.#restore);
    return rows.reshape(this.#batch, this.#length, rows.shape[1]);
  }

  /** concat(expert_I(X_I), expert_T(X_T)): both halves of every equation above. */
  apply(X: Tensor, vision: ExpertModule, language: ExpertModule): Tensor {
    const { X_I, X_T } = this.split(X);
    return this.concat(X_I && vision.call(X_I), X_T && language.call(X_T));
  }
}

type ExpertModule = Module<[x: Tensor], Tensor>;

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
    const QKV = routing.apply(X, this.vision_expert_query_key_value, this.language_expert_query_key_value);
    const angles = this.rotary_emb.call(positions);
    const { Q, K, V } = this.#heads3(QKV, angles); // [B, H, T, K], [B, H_kv, T, K] twice
    const { keys, values } = cache?.append(K, V) ?? { keys: K, values: V }; // [B, H_kv, S, K]
    const context = mergeHeads(attention(Q, keys, values, { causal: true, visible })); // [B, T, D]
    return routing.apply(context, this.vision_expert_dense, this.language_expert_dense);
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

/** FFN(X) = concat(FFN_I(X_I), FFN_T(X_T)) */
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
    return routing.apply(X, this.vision_mlp, this.language_mlp);
  }
}
