/**
 * Rotary position embedding (RoFormer, arXiv 2104.09864) in LLaMA's half-split layout over the whole head width K:
 * column j turns with column j + K/2 by the angle θ = position · f_j,  f_j = base^(−2j/K).
 */
import { apply, scope, Tensor } from '../tensor/index.ts';
import type { WeightOptions } from './init.ts';
import { Constant, Module } from './module.ts';

export interface RotaryConfig extends WeightOptions {
  readonly headDim: number;
  /** 10000 in CogVLM, 500000 in CogVLM2. */
  readonly base: number;
}

/** cos θ and sin θ [B, T, K/2] of a batch of positions. */
export interface RotaryAngles {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Cosines and sines of the angles that positions turn queries and keys by (RoPE, arXiv 2104.09864). */
export class RotaryEmbedding extends Module<[positions: readonly (readonly number[])[]], RotaryAngles> {
  /** The frequencies [K/2]; a checkpoint may bring its own, which then decide. */
  readonly inv_freq: Constant;

  constructor({ headDim, base, dtype = 'float32' }: RotaryConfig) {
    super();
    const half = Array.from({ length: headDim / 2 }, (_, j) => base ** ((-2 * j) / headDim));
    this.inv_freq = scope(() => new Constant(Tensor.fromArray(half, [headDim / 2], { dtype })));
  }

  /** @shape positions [B, T] → cos, sin [B, T, K/2] */
  forward(positions: readonly (readonly number[])[]): RotaryAngles {
    const { dtype } = this.inv_freq;
    const theta = Tensor.from(positions, { dtype }).unsqueeze(-1).mul(this.inv_freq);
    return { cos: theta.cos(), sin: theta.sin() };
  }
}

/** Turns queries or keys [B, H, T, K] by their angles. */
export function applyRotary(x: Tensor, { cos, sin }: RotaryAngles): Tensor {
  return apply('rotary', [x, cos, sin], {});
}
