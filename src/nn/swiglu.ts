/** LLaMA's gated feed-forward network (arXiv 2002.05202):  W_down( silu(W_gate x) ⊙ W_up x ), no biases. */
import { apply, type Tensor } from '../tensor/index.ts';
import type { WeightOptions } from './init.ts';
import { Linear } from './linear.ts';
import { Module } from './module.ts';

export interface SwiGLUConfig extends WeightOptions {
  readonly width: number;
  readonly intermediateSize: number;
}

/** down(SiLU(gate x) ⊙ up x) (arXiv 2002.05202). */
export class SwiGLU extends Module<[x: Tensor], Tensor> {
  readonly gate_proj: Linear;
  readonly up_proj: Linear;
  readonly down_proj: Linear;

  constructor({ width: D, intermediateSize: F, ...weights }: SwiGLUConfig) {
    super();
    this.gate_proj = new Linear({ inFeatures: D, outFeatures: F, bias: false, ...weights });
    this.up_proj = new Linear({ inFeatures: D, outFeatures: F, bias: false, ...weights });
    this.down_proj = new Linear({ inFeatures: F, outFeatures: D, bias: false, ...weights });
  }

  /** @shape x [..., D] → [..., D] */
  forward(x: Tensor): Tensor {
    return this.down_proj.call(swiglu(this.gate_proj.call(x), this.up_proj.call(x)));
  }
}

/** silu(gate) ⊙ up */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return apply('swiglu', [gate, up], {});
}
