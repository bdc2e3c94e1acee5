/**
 * Initialisers. Weights are drawn from a seeded generator that is passed in; without one they are zeros, to be
 * filled from a checkpoint.
 */
import type { DType } from '../kernels/index.ts';
import { type Rng, scope, Tensor } from '../tensor/index.ts';
import { Parameter } from './module.ts';

export interface WeightOptions {
  /** Default float32. */
  readonly dtype?: DType;
  /** Without it weights start at zero (norm weights at one). */
  readonly rng?: Rng | undefined;
}

/** A parameter holds a copy: what it is made of goes at once, or a new model would take its memory twice. */
function parameter(values: () => Tensor): Parameter {
  return scope(() => new Parameter(values()));
}

/** A weight of zeros. */
export function zeros(shape: readonly number[], { dtype = 'float32' }: WeightOptions): Parameter {
  return parameter(() => Tensor.zeros(shape, { dtype }));
}

/** A weight of ones. */
export function ones(shape: readonly number[], { dtype = 'float32' }: WeightOptions): Parameter {
  return parameter(() => Tensor.ones(shape, { dtype }));
}

/** Normal numbers of a standard deviation. */
export function normal(
  shape: readonly number[],
  std: number,
  { dtype = 'float32', rng }: WeightOptions,
): Parameter {
  if (rng === undefined) return zeros(shape, { dtype });
  return parameter(() => Tensor.randn(shape, rng, { dtype }).mul(std));
}

/** Uniform in ±1/√fanIn: what PyTorch's Linear and Conv2d start from (kaiming_uniform with a = √5). */
export function fanInUniform(
  shape: readonly number[],
  fanIn: number,
  { dtype = 'float32', rng }: WeightOptions,
): Parameter {
  if (rng === undefined) return zeros(shape, { dtype });
  const bound = 1 / Math.sqrt(fanIn);
  return parameter(() => Tensor.uniform(shape, rng, -bound, bound, { dtype }));
}
