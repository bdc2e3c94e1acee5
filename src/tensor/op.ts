/**
 * What a primitive is: one record with its shape rule, value and gradient. Ops work on views and a backend, not on `Tensor`,
 * so `src/tensor/ops` reads like the mathematics and has no cycle with the tape.
 *
 * Records are typed: an op without a gradient does not compile, nor one without samples and error cases (`ops/cases.ts`).
 */
import type { Backend, View } from '../kernels/index.ts';

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

export interface Op<Attrs> {
  readonly name: string;
  /** Names of the inputs, for messages; the last one repeats when `variadic`. */
  readonly inputs: readonly string[];
  readonly variadic?: true;
  /** @throws ShapeError, DTypeError before anything is computed. */
  check(inputs: readonly View[], attrs: Attrs): void;
  forward(k: Backend, inputs: readonly View[], attrs: Attrs): Forward;
  backward(ctx: BackwardContext<Attrs>): Gradients;
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
