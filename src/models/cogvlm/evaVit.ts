/**
 * EVA2-CLIP-E vision transformer (CogVLM §2.1) with its last block and final norm removed. The norm stands *after* the
 * sublayer, on what is added, in spite of the names in the checkpoint:
 *
 *   x ← x + LN_input(Attention(x)),   x ← x + LN_post(W₂·GELU(W₁x + b₁) + b₂)
 *
 * There is no norm before the first block nor after the last. GELU is the exact erf form.
 *
 * B batch, C channels, E width, g patches along one side, p pixels along one side of a patch, L tokens in the ViT (g² + 1)
 */

import {
  attention,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  type Parameter,
  PatchConv,
  splitHeads,
  type WeightOptions,
  zeros,
} from '../../nn/index.ts';
import { concat, type Tensor } from '../../tensor/index.ts';
import { patchGrid, type VisionConfig } from './config.ts';

/** The position table; a module of its own because the checkpoint says `position_embedding.weight`. */
class PositionTable extends Module<[], Tensor> {
  readonly weight: Parameter;

  constructor(rows: number, width: number, weights: WeightOptions) {
    super();
    this.weight = zeros([rows, width], weights);
  }

  forward(): Tensor {
    return this.weight;
  }
}

export class PatchEmbedding extends Module<[pixels: Tensor], Tensor> {
  readonly proj: PatchConv;
  readonly cls_embedding: Parameter;
  readonly position_embedding: PositionTable;

  constructor(config: VisionConfig, weights: WeightOptions) {
    super();
    const { inChannels, hiddenSize: E, patchSize: size } = config;
    this.proj = new PatchConv({ inChannels, outChannels: E, size, ...weights });
    this.cls_embedding = zeros([1, E], weights);
    this.position_embedding = new PositionTable(patchGrid(config) ** 2 + 1, E, weights);
  }

  /** x⁰ = concat(cls, patches) + positions. @shape pixels [B, C, g·p, g·p] → [B, L, E] */
  forward(pixels: Tensor): Tensor {
    const p = this.proj.call(pixels); // [B, E, g, g]
    const [B, E, g] = p.shape;
    const patches = p.reshape(B, E, g * g).transpose(); // [B, g², E]
    const cls = this.cls_embedding.reshape(1, 1, E).expand(B, 1, E);
    return concat([cls, patches], 1).add(this.position_embedding.call());
  }
}

class VitAttention extends Module<[x: Tensor], Tensor> {
  readonly query_key_value: Linear;
  readonly dense: Linear;
  readonly #heads: number;

  constructor({ hiddenSize: E, numHeads }: VisionConfig, weights: WeightOptions) {
    super();
    this.query_key_value = new Linear({ inFeatures: E, outFeatures: 3 * E, bias: true, ...weights });
    this.dense = new Linear({ inFeatures: E, outFeatures: E, bias: true, ...weights });
    this.#heads = numHeads;
  }

  /** W_o·concat_heads(softmax(QKᵀ/√K)V) + b_o; every token sees every other. @shape x [B, L, E] → [B, L, E] */
  forward(x: Tensor): Tensor {
    const E = x.shape[2];
    const qkv = this.query_key_value.call(x); // [B, L, 3E]: q, then k, then v
    const [q, k, v] = [0, 1, 2].map((i) => splitHeads(qkv.slice(2, i * E, (i + 1) * E), this.#heads));
    return this.dense.call(mergeHeads(attention(q, k, v, { causal: false })));
  }
}

class VitMLP extends Module<[x: Tensor], Tensor> {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor({ hiddenSize: E, intermediateSize }: VisionConfig, weights: WeightOptions) {
    super();
    this.fc1 = new Linear({ inFeatures: E, outFeatures: intermediateSize, bias: true, ...weights });
    this.fc2 = new Linear({ inFeatures: intermediateSize, outFeatures: E, bias: true, ...weights });
  }

  /** @shape x [B, L, E] → [B, L, E] */
  forward(x: Tensor): Tensor {
    return this.fc2.call(this.fc1.call(x).gelu());
  }
}

export class VitBlock extends Module<[x: Tensor], Tensor> {
  readonly input_layernorm: LayerNorm;
  readonly attention: VitAttention;
  readonly mlp: VitMLP;
  readonly post_attention_layernorm: LayerNorm;

  constructor(config: VisionConfig, weights: WeightOptions) {
    super();
    const norm = { width: config.hiddenSize, eps: config.layerNormEps, ...weights };
    this.input_layernorm = new LayerNorm(norm);
    this.attention = new VitAttention(config, weights);
    this.mlp = new VitMLP(config, weights);
    this.post_attention_layernorm = new LayerNorm(norm);
  }

  /** @shape x [B, L, E] → [B, L, E] */
  forward(x: Tensor): Tensor {
    const h = x.add(this.input_layernorm.call(this.attention.call(x)));
    return h.add(this.post_attention_layernorm.call(this.mlp.call(h)));
  }
}

export class VitTransformer extends Module<[x: Tensor], Tensor> {
  readonly layers: readonly VitBlock[];

  constructor(config: VisionConfig, weights: WeightOptions) {
    super();
    this.layers = Array.from({ length: config.numHiddenLayers }, () => new VitBlock(config, weights));
  }

  /** @shape x [B, L, E] → [B, L, E] */
  forward(x: Tensor): Tensor {
    return this.layers.reduce((h, layer) => layer.call(h), x);
  }
}
