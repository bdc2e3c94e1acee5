import type { CasesOf, ErrorCase, Sample, SampleInput, Some } from '../sample.ts';
import type * as op from './binary.ts';

type NoAttrs = Record<never, never>;

const INFINITY = Number.POSITIVE_INFINITY;

/**
 * Every pair of these meets, each alone: in a sum one NaN would hide all others. In float32 an exponent of 1e15 is as large as
 * the one below it, odd or even, so that b goes to 1e6 only.
 */
const FAR_A = [-INFINITY, -1e15, -1, -0, 0, 0.5, 2, 1e15, INFINITY, Number.NaN];
const FAR_B = [-INFINITY, -1e6, -1, -0, 0, 0.5, 2, 1e6, INFINITY, Number.NaN];
const PAIRS: readonly SampleInput[] = [
  { shape: [10, 10], values: FAR_A.flatMap((a) => FAR_B.map(() => a)) },
  { shape: [10, 10], values: FAR_A.flatMap(() => FAR_B) },
];

function samplesIn(
  range: readonly [number, number],
  more: readonly Sample<NoAttrs>[] = [],
): Some<Sample<NoAttrs>> {
  const inputs = (a: readonly number[], b: readonly number[]) => [
    { shape: a, range },
    { shape: b, range },
  ];
  return [
    { note: 'plain', inputs: inputs([3, 4], [3, 4]), attrs: {} },
    { note: 'scalars', inputs: inputs([], []), attrs: {} },
    { note: 'row broadcast', inputs: inputs([2, 3, 4], [4]), attrs: {} },
    { note: 'both broadcast', inputs: inputs([3, 1], [1, 5]), attrs: {} },
    { note: 'zero size', inputs: inputs([0, 3], [3]), attrs: {} },
    { note: 'size-1 axes', inputs: inputs([1, 1], [1]), attrs: {} },
    {
      note: 'transposed a, strided b',
      inputs: [
        { shape: [3, 4], range, layout: 'transposed' },
        { shape: [4], range, layout: 'strided' },
      ],
      attrs: {},
    },
    {
      note: 'x∘x',
      inputs: [
        { shape: [5], range },
        { shape: [5], range, layout: 'same' },
      ],
      attrs: {},
    },
    {
      note: 'far values',
      inputs: PAIRS,
      attrs: {},
      noDifferences: 'infinities, and numbers that a step does not change',
    },
    {
      note: 'integers',
      inputs: [
        { shape: [5], dtype: 'int32', values: [7, -7, 0, 3, -2] },
        { shape: [5], dtype: 'int32', values: [2, 2, 5, 3, 1] },
      ],
      attrs: {},
    },
    ...more,
  ];
}

const errors: Some<ErrorCase<NoAttrs>> = [
  {
    note: 'no broadcast',
    inputs: [{ shape: [2, 3] }, { shape: [4] }],
    attrs: {},
    error: 'ShapeError',
    says: 'shapes do not broadcast (axis -1): a is float64[2,3], b is float64[4]',
  },
  {
    note: 'mixed dtypes',
    inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32' }],
    attrs: {},
    error: 'DTypeError',
    says: "nothing is converted silently; cast with .to('float64')",
  },
  {
    note: 'bools',
    inputs: [
      { shape: [2], dtype: 'bool', values: [0, 1] },
      { shape: [2], dtype: 'bool', values: [1, 1] },
    ],
    attrs: {},
    error: 'DTypeError',
    says: 'a: needs float32 or float64 or int32: a is bool[2]',
  },
];

export const add: CasesOf<typeof op.add> = { torch: 'a + b', samples: samplesIn([-2, 2]), errors };
export const sub: CasesOf<typeof op.sub> = { torch: 'a - b', samples: samplesIn([-2, 2]), errors };
export const mul: CasesOf<typeof op.mul> = { torch: 'a * b', samples: samplesIn([-2, 2]), errors };
export const div: CasesOf<typeof op.div> = { torch: 'divide(a, b)', samples: samplesIn([0.5, 2]), errors };
export const pow: CasesOf<typeof op.pow> = { torch: 'a ** b', samples: samplesIn([0.5, 2]), errors };
export const maximum: CasesOf<typeof op.maximum> = {
  torch: 'torch.maximum(a, b)',
  samples: samplesIn(
    [-2, 2],
    [
      {
        note: 'ties',
        inputs: [
          { shape: [4], values: [1, -2, 0, 3] },
          { shape: [4], values: [1, -2, 0, 2] },
        ],
        attrs: {},
        noDifferences: 'a kink, where PyTorch gives each side half',
      },
    ],
  ),
  errors,
};
