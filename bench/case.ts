/** What is measured: a case makes its inputs on the backend in use, and a call that is timed. */
import { type AnyModule, noGrad, Rng, scope, Tensor } from '../src/index.ts';

/** What one call does, for the rates: multiplications and additions, bytes that must move at least, or whole steps. */
export interface Work {
  readonly unit: 'FLOP' | 'byte' | 'step';
  readonly amount: number;
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

let pool: Float32Array | undefined;

/** 2²⁰ numbers in ±1, drawn once. */
function drawn(): Float32Array {
  const rng = new Rng(1);
  pool ??= Float32Array.from({ length: 2 ** 20 }, () => rng.uint32() / 2 ** 31 - 1);
  return pool;
}

/** Uniform in ±scale. Numbers repeat after 2²⁰, which spares minutes of drawing and which no kernel can notice. */
export function noise(shape: readonly number[], scale = 1): Tensor {
  const numbers = drawn();
  const data = new Float32Array(sizeOf(shape));
  for (let start = 0; start < data.length; start += numbers.length) {
    data.set(numbers.subarray(0, data.length - start), start);
  }
  if (scale !== 1) for (let i = 0; i < data.length; i++) data[i] *= scale;
  return Tensor.fromArray(data, shape);
}

/** Fills every matrix of a module so that it keeps the size of what goes through; vectors stay as they start. */
export function drawWeights<M extends AnyModule>(module: M): M {
  for (const weight of module.namedParameters().values()) {
    if (weight.rank < 2) continue;
    const fanIn = sizeOf(weight.shape.slice(1));
    scope(() => weight.assign(noise(weight.shape, Math.sqrt(3 / fanIn)))); // variance 1/fanIn
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
