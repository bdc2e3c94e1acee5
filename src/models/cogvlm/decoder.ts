/**
 * The language model with visual experts: LLaMA's decoder layer, two residual lines.
 *
 *   x ← x + Attention(RMSNorm(x)),   x ← x + FFN(RMSNorm(x))
 *
 * Both norms are shared by image and text tokens.
 */

import { Module, RMSNorm, type WeightOptions } from '../../nn/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import type { CogVLMConfig } from './config.ts';
import type { LayerCache } from './kvCache.ts';
import { type LayerContext, VisionExpertAttention, VisionExpertMLP } from './visualExpert.ts';

export class DecoderLayer extends Module<[x: Tensor, context: LayerContext, cache?: LayerCache], Tensor> {
  readonly input_layernorm: RMSNorm;
  readonly self_attn: VisionExpertAttention;
  readonly post_attention_layernorm: RMSNorm;
  readonly mlp: VisionExpertMLP;

  constructor(config: CogVLMConfig, weights: WeightOptions) {
    super();
    const norm = { width: config.hiddenSize, eps: config.rmsNormEps, ...weights };
    this.input_layernorm = new RMSNorm(norm);
    this.self_attn = new VisionExpertAttention(config, weights);
    this.post_attention_layernorm = new RMSNorm(norm);
    this.mlp = new VisionExpertMLP(config, weights);
  }

  /** @shape x [B, T, D] → [B, T, D] */
  forward(x: Tensor, context: LayerContext, cache?: LayerCache): Tensor {
    const h = x.add(this.self_attn.call(this.input_layernorm.call(x), context, cache));
    return h.add(this.mlp.call(this.post_attention_layernorm.call(h), context.routing));
  }
}
