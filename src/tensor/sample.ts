/**
 * How an op is tried: what it is in PyTorch, samples, which PyTorch's results, differences and other backends are held against,
 * and inputs that it must refuse. They stand beside the op in a file of their own, `ops/NAME.cases.ts`, and nothing that computes loads them.
 */
import type { DType } from '../kernels/index.ts';
import type { Op } from './op.ts';

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

/** What belongs to every op. */
export interface Cases<Attrs> {
  /**
   * The op in PyTorch: Python over the names of inputs and attributes, where an input that is left out is None and `inputs` has
   * them all. What is longer than an expression is a function of spec/goldens/generate/functions.py.
   */
  readonly torch: string;
  /** The same in float64, where PyTorch's own has fewer digits. */
  readonly truth?: string;
  readonly samples: Some<Sample<Attrs>>;
  readonly errors: Some<ErrorCase<Attrs>>;
}

/** `CasesOf<typeof softmax>`: the cases of one op, whose attributes follow from its record. */
export type CasesOf<O> = O extends Op<infer Attrs> ? Cases<Attrs> : never;
