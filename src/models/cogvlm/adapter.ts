/**
 * MLP adapter (CogVLM §2.1): brings ViT features to the width of the language model. The paper calls it a two-layer
 * MLP with SwiGLU; the released one is
 *
 *   u = GELU(LayerNorm(W x)),   y = W_down( silu(W_gate u) ⊙ W_up u )
 *
 * without biases or a residual. The norm's ε is 1e-5 where the ViT's is 1e-6.
 */

import { LayerNorm, Linear, Module, swiglu, type WeightOptions } from '../../nn/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import type { CogVLMConfig } from './config.ts';

const NORM_EPS = 1e-5;

export class Adapter extends Module<[x: Tensor], Tensor> {
  readonly linear_proj: Linear;
  readonly norm1: LayerNorm;
  readonly dense_h_to_4h: Linear;
  readonly gate_proj: Linear;
  readonly dense_4h_to_h: Linear;

  constructor(config: CogVLMConfig, weights: WeightOptions) {
    super();
    const { hiddenSize: D, intermediateSize: F, vision } = config;
    const linear = (inFeatures: number, outFeatures: number) =>
      new Linear({ inFeatures, outFeatures, bias: false, ...weights });
    this.linear_proj = linear(vision.hiddenSize, D);
    this.norm1 = new LayerNorm({ width: D, eps: NORM_EPS, ...weights });
    this.dense_h_to_4h = linear(D, F);
    this.gate_proj = linear(D, F);
    this.dense_4h_to_h = linear(F, D);
  }

  /** @shape x [B, N, E] → [B, N, D] */
  forward(x: Tensor): Tensor {
    const u = this.norm1.call(this.linear_proj.call(x)).gelu();
    return this.dense_4h_to_h.call(swiglu(this.gate_proj.call(u), this.dense_h_to_4h.call(u)));
  }
}
