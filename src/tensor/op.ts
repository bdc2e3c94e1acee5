/**
 * What a primitive is: one record with its shape rule, value, gradient, samples and error cases. Ops work on views and
 * a backend, not on `Tensor`, so `src/tensor/ops` reads like the mathematics and has no cycle with the tape.
 *
 * The record is typed: an op without a gradient, samples or error cases does not compile.
 */
import type { Backend, DType, View } from '../kernels/backend.ts';

export interface Forward {
  readonly out: View;
  /** What the gradient wants beside inputs and output (row statistics, say). */
  readonly saved?: readonly View[];
}

export interface BackwardContext<Attrs> {
  readonly k: Backend;
  readonly inputs: readonly View[];
  readonly attrs: Attrs;
  readonly out: View;
  readonly saved: readonly View[];
  /** Gradient of the loss by the output, of its shape and dtype. */
  readonly dy: View;
}

/**
 * One thunk per input, called only if that input needs a gradient; null where the op has none by definition
 * (indices, conditions). A gradient may have the shape the input was broadcast to: the tape sums it back.
 */
export type Gradients = readonly ((() => View) | null)[];

/**
 * How a generated input looks. Values are drawn uniformly from `range` (default −2…2) unless given, and are float32 numbers,
 * so that a float32 and a float64 run compute from the same ones.
 */
export interface SampleInput {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  readonly range?: readonly [number, number];
  readonly values?: readonly number[];
  /** The op takes it as given: no gradient flows to it. */
  readonly constant?: true;
  /** How it lies in memory: dense, last two axes swapped, every second element, or the previous input itself. */
  readonly layout?: 'dense' | 'transposed' | 'strided' | 'same';
}

export interface Sample<Attrs> {
  /** What is special about it; names the sample. */
  readonly note: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: Attrs;
  /** Why central differences say nothing about the gradient here: kinks, infinities, numbers too large to step between. */
  readonly noDifferences?: string;
}

/** At least one. */
export type Some<T> = readonly [T, ...T[]];

export interface ErrorCase<Attrs> extends Sample<Attrs> {
  readonly error: 'ShapeError' | 'DTypeError';
  /** Part of the message. */
  readonly says: string;
}

export interface Op<Attrs> {
  readonly name: string;
  /** Names of the inputs, for messages; the last one repeats when `variadic`. */
  readonly inputs: readonly string[];
  readonly variadic?: true;
  /** @throws ShapeError, DTypeError before anything is computed. */
  check(inputs: readonly View[], attrs: Attrs): void;
  forward(k: Backend, inputs: readonly View[], attrs: Attrs): Forward;
  backward(ctx: BackwardContext<Attrs>): Gradients;
  readonly samples: Some<Sample<Attrs>>;
  readonly errors: Some<ErrorCase<Attrs>>;
}

/** Name of input i, as messages and fixtures have it: the only one of a variadic op comes with its number. */
export function inputName({ inputs, variadic }: Pick<Op<never>, 'inputs' | 'variadic'>, i: number): string {
  return variadic ? `${inputs[0]}${i}` : inputs[i];
}

/** Kernels hand several gradients over at once: computed at the first call, whichever input asks. */
export function once<T>(compute: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: compute() };
    return value.of;
  };
}

/** Sums a gradient of a broadcast shape back to the shape of the input: the adjoint of broadcasting. */
export function sumToShape(k: Backend, g: View, shape: readonly number[]): View {
  const lead = g.shape.length - shape.length;
  const axes: number[] = [];
  for (let a = 0; a < g.shape.length; a++) {
    if (a < lead || (shape[a - lead] === 1 && g.shape[a] !== 1)) axes.push(a);
  }
  if (axes.length === 0) return g;
  const summed = k.sum(g, axes);
  return { ...summed, shape: summed.shape.slice(lead), strides: summed.strides.slice(lead) };
}
