/** What a composed function's record is: how it is called, its samples, and what it refuses. */

import type { Sample, SampleInput, Some } from '../../tensor/cases.ts';
import { concat, type Tensor } from '../../tensor/index.ts';

/** A call that is refused, and a part of what the error says. */
export interface Refused<Attrs> extends Omit<Sample<Attrs>, 'noDifferences'> {
  readonly error: 'ShapeError' | 'DTypeError' | 'RangeError';
  readonly says: string;
}

/** What a function says that takes any tensor, so that there is no error to ask for. */
export const REFUSES_NOTHING = 'refuses nothing';

export interface FunctionRecord<Attrs> {
  /** Names of the inputs in order; the only one of a variadic function comes with its number. */
  readonly inputs: Some<string>;
  readonly variadic?: true;
  /** Several results come as one: see `joined`. */
  call(inputs: readonly Tensor[], attrs: Attrs): Tensor;
  readonly samples: Some<Sample<Attrs>>;
  readonly errors: Some<Refused<Attrs>> | typeof REFUSES_NOTHING;
}

/** Gives each record its attributes' type without spelling it out. */
export const record = <Attrs>(of: FunctionRecord<Attrs>): FunctionRecord<Attrs> => of;

export type NoAttrs = Record<never, never>;

/** All elements of several results: those of part i times i + 1, so that one in another part is another number. */
export function joined(parts: readonly Tensor[]): Tensor {
  return concat(parts.map((part, i) => part.reshape(part.size).mul(i + 1)));
}

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

export { INFINITY, NAN };

/** Ends of the number line, both zeros, and what float32 holds at the ends of its range. */
export const ENDS: readonly number[] = [-INFINITY, -3e38, -1e-37, -0, 0, 1e-37, 3e38, INFINITY, NAN];

type Layout = NonNullable<SampleInput['layout']>;

/** One input that lies in memory in every way, is empty, and has axes of size 1. */
export function layouts<Attrs>(attrs: Attrs, more: Omit<SampleInput, 'shape'> = {}): Sample<Attrs>[] {
  const one = (note: string, shape: readonly number[], layout: Layout): Sample<Attrs> => ({
    note,
    inputs: [{ ...more, shape, layout }],
    attrs,
  });
  return [
    one('transposed', [4, 3], 'transposed'),
    one('strided', [3, 4], 'strided'),
    one('size-1 axes', [1, 1], 'dense'),
  ];
}
