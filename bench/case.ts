/** What is measured: a case makes its inputs on the backend in use, and a call that is timed. */
import { type AnyModule, noGrad, scope, Tensor } from '../src/index.ts';
import { noiseValues, weightScale } from './noise.ts';

/** What one call does, for the rates: multiplications and additions, bytes that must move at least, or whole steps. */
export interface Work {
  readonly unit: 'FLOP' | 'byte' | 'step';
  readonly amount: number;
  /** What bounds bytes: reading alone, or, by default, reading and writing as a copy does. */
  readonly bound?: 'read';
}

export interface BenchCase {
  readonly name: string;
  readonly work: Work;
  /** Tensors made here are given back after the case. */
  prepare(): Prepared;
}

export interface Prepared {
  /**
   * What is timed, whole; or, where a part of it is no part of the case, it answers tinybench's `overriddenDuration` in
   * milliseconds. A promise is waited for.
   */
  call(): unknown;
  /** Gives back what outlives scopes: weights, the optimiser's state. */
  dispose?(): void | Promise<void>;
}

/** A case of one op without gradients. */
export function opCase(
  name: string,
  work: Work,
  inputs: () => readonly Tensor[],
  op: (...inputs: readonly Tensor[]) => Tensor,
): BenchCase {
  return {
    name,
    work,
    prepare() {
      const made = inputs();
      return { call: () => scope(() => void noGrad(() => op(...made))) };
    },
  };
}

/** Uniform in ±scale; streams of different numbers are independent. */
export function noise(shape: readonly number[], scale = 1, stream = 0): Tensor {
  return Tensor.fromArray(noiseValues(sizeOf(shape), stream, scale), shape);
}

/**
 * Fills every matrix of a module so that it keeps the size of what goes through; vectors stay as they start. The first
 * matrix in the order of the fields gets stream 2, the next 3, and so on.
 */
export function drawWeights<M extends AnyModule>(module: M): M {
  let stream = 2;
  for (const weight of module.namedParameters().values()) {
    if (weight.rank < 2) continue;
    const scale = weightScale(sizeOf(weight.shape.slice(1)));
    const values = noiseValues(weight.size, stream++, scale);
    scope(() => weight.assign(Tensor.fromArray(values, weight.shape)));
  }
  return module;
}

/** Gives the weights of a module back, and their gradients. */
export function disposeModule(module: AnyModule): void {
  module.zeroGrad();
  for (const tensor of module.stateDict().values()) tensor.dispose();
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, m) => n * m, 1);

/** Bytes of float32 tensors of these shapes. */
export const bytesOf = (...shapes: readonly (readonly number[])[]): Work => ({
  unit: 'byte',
  amount: 4 * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0),
});
