/** Cases of elementwise functions: the smaller of two, bounds, comparisons, truth values. */

import type { Sample, SampleInput } from '../../tensor/cases.ts';
import { logicalAnd, logicalNot, logicalOr, type Tensor } from '../../tensor/index.ts';
import { ENDS, type FunctionRecord, layouts, NAN, type NoAttrs, REFUSES_NOTHING, record } from './record.ts';

/** Every pair of the ends meets. */
const PAIRS: readonly SampleInput[] = [
  { shape: [9, 9], values: ENDS.flatMap((a) => ENDS.map(() => a)) },
  { shape: [9, 9], values: ENDS.flatMap(() => ENDS) },
];

/** Taken as given, without a gradient. */
const given = (input: SampleInput): SampleInput => ({ ...input, constant: true });

const NO_STEP = 'infinities, and numbers that a step does not change';

const minimum = record<NoAttrs>({
  inputs: ['a', 'b'],
  call: ([a, b]) => a.minimum(b),
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 4] }, { shape: [3, 4] }], attrs: {} },
    { note: 'broadcast', inputs: [{ shape: [3, 1] }, { shape: [1, 4] }], attrs: {} },
    { note: 'zero size', inputs: [{ shape: [0, 3] }, { shape: [3] }], attrs: {} },
    {
      note: 'transposed a, strided b',
      inputs: [
        { shape: [3, 4], layout: 'transposed' },
        { shape: [4], layout: 'strided' },
      ],
      attrs: {},
    },
    {
      note: 'ties',
      inputs: [
        { shape: [4], values: [1, -2, 0, 3] },
        { shape: [4], values: [1, -2, 0, 2] },
      ],
      attrs: {},
      noDifferences: 'a kink, where PyTorch gives each side half',
    },
    {
      note: 'a = b',
      inputs: [{ shape: [3] }, { shape: [3], layout: 'same' }],
      attrs: {},
    },
    {
      note: 'integers',
      inputs: [
        { shape: [3], dtype: 'int32', values: [-2147483648, 7, 3] },
        { shape: [3], dtype: 'int32', values: [5, -7, 3] },
      ],
      attrs: {},
    },
    { note: 'far values', inputs: PAIRS, attrs: {}, noDifferences: NO_STEP },
  ],
  errors: [
    {
      note: 'no broadcast',
      inputs: [{ shape: [2, 3] }, { shape: [4] }],
      attrs: {},
      error: 'ShapeError',
      says: 'minimum(a, b): b: shapes do not broadcast (axis -1): a is float64[2,3], b is float64[4]',
    },
    {
      note: 'mixed dtypes',
      inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'minimum(a, b): b: dtypes differ (b is not float64)',
    },
    {
      note: 'bools',
      inputs: [
        { shape: [1], dtype: 'bool', values: [1] },
        { shape: [1], dtype: 'bool', values: [0] },
      ],
      attrs: {},
      error: 'DTypeError',
      says: 'minimum(a): a: needs float32 or float64 or int32: a is bool[1]',
    },
  ],
});

/** Bounds as numbers in the attributes, or as tensors: `bounds` names those that come as inputs. */
const clamp = record<{ min?: number; max?: number; bounds?: readonly ('min' | 'max')[] }>({
  inputs: ['x', 'bound0', 'bound1'],
  call([x, ...given], { bounds = [], ...numbers }) {
    return x.clamp({ ...numbers, ...Object.fromEntries(bounds.map((name, i) => [name, given[i]])) });
  },
  samples: [
    { note: 'both', inputs: [{ shape: [3, 5] }], attrs: { min: -0.7, max: 1.1 } },
    { note: 'below', inputs: [{ shape: [7] }], attrs: { min: 0.25 } },
    { note: 'above', inputs: [{ shape: [7] }], attrs: { max: 0.25 } },
    { note: 'zero size', inputs: [{ shape: [2, 0] }], attrs: { min: 0, max: 1 } },
    ...layouts({ min: -1, max: 1 }),
    {
      note: 'tensors, broadcast',
      inputs: [{ shape: [3, 4] }, { shape: [4], range: [-1, 0] }, { shape: [3, 1], range: [0, 1] }],
      attrs: { bounds: ['min', 'max'] },
    },
    { note: 'crossed bounds', inputs: [{ shape: [6] }], attrs: { min: 1, max: -1 } },
    {
      note: 'on the bounds',
      inputs: [{ shape: [3], values: [-1, 1, 0] }],
      attrs: { min: -1, max: 1 },
      noDifferences: 'kinks, where PyTorch has slope 1',
    },
    {
      note: 'integers',
      inputs: [{ shape: [4], dtype: 'int32', values: [-9, 0, 3, 2147483647] }],
      attrs: { min: -2, max: 2 },
    },
    {
      note: 'far values',
      inputs: [{ shape: [9], values: ENDS }],
      attrs: { min: -1, max: 1 },
      noDifferences: 'infinities and NaN',
    },
  ],
  errors: [
    {
      note: 'no bound',
      inputs: [{ shape: [2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'clamp(x): bounds: needs min or max: x is float64[2]',
    },
    {
      note: 'half a bound for integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { min: 0.5 },
      error: 'DTypeError',
      says: 'clamp(x): b: 0.5 is no int32',
    },
    {
      note: 'a bound that does not broadcast',
      inputs: [{ shape: [2, 3] }, { shape: [2] }],
      attrs: { bounds: ['max'] },
      error: 'ShapeError',
      says: 'clamp(x, max): max: shapes do not broadcast (axis -1): x is float64[2,3], max is float64[2]',
    },
    {
      note: 'bools',
      inputs: [{ shape: [1], dtype: 'bool', values: [1] }],
      attrs: { min: 0 },
      error: 'DTypeError',
      says: 'clamp(x): x: needs float32 or float64 or int32',
    },
  ],
});

// ---- bool results: no gradient, so that inputs are taken as given ------------------------------------------------

type Compare = (a: Tensor, b: Tensor) => Tensor;

function comparison(name: string, call: Compare): FunctionRecord<NoAttrs> {
  return {
    inputs: ['a', 'b'],
    call: ([a, b]) => call(a, b),
    samples: [
      { note: 'plain', inputs: [given({ shape: [3, 4] }), given({ shape: [3, 4] })], attrs: {} },
      { note: 'broadcast', inputs: [given({ shape: [3, 1] }), given({ shape: [1, 4] })], attrs: {} },
      { note: 'zero size', inputs: [given({ shape: [0, 3] }), given({ shape: [3] })], attrs: {} },
      {
        note: 'transposed a, strided b',
        inputs: [given({ shape: [3, 4], layout: 'transposed' }), given({ shape: [4], layout: 'strided' })],
        attrs: {},
      },
      { note: 'a = b', inputs: [given({ shape: [3] }), given({ shape: [3], layout: 'same' })], attrs: {} },
      {
        note: 'integers',
        inputs: [
          { shape: [4], dtype: 'int32', values: [1, 16777217, -3, 2147483647] },
          { shape: [4], dtype: 'int32', values: [1, 16777216, 3, -2147483648] },
        ],
        attrs: {},
      },
      { note: 'far values', inputs: PAIRS.map(given), attrs: {} },
    ],
    errors: [
      {
        note: 'no broadcast',
        inputs: [{ shape: [2, 3] }, { shape: [4] }],
        attrs: {},
        error: 'ShapeError',
        says: `${name}(a, b): b: shapes do not broadcast (axis -1): a is float64[2,3], b is float64[4]`,
      },
      {
        note: 'mixed dtypes',
        inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32', values: [1, 2] }],
        attrs: {},
        error: 'DTypeError',
        says: `${name}(a, b): b: dtypes differ (b is not float64)`,
      },
    ],
  };
}

/** Truths of four combinations, in any dtype. */
const TRUTHS: Sample<NoAttrs>[] = [
  {
    note: 'bools',
    inputs: [
      { shape: [2, 2], dtype: 'bool', values: [0, 0, 1, 1] },
      { shape: [2, 2], dtype: 'bool', values: [0, 1, 0, 1] },
    ],
    attrs: {},
  },
  {
    note: 'numbers, broadcast',
    inputs: [
      given({ shape: [3, 1], values: [0, -0.5, NAN] }),
      { shape: [2], dtype: 'int32', values: [0, -7] },
    ],
    attrs: {},
  },
  { note: 'zero size', inputs: [given({ shape: [0, 3] }), given({ shape: [3] })], attrs: {} },
  {
    note: 'transposed a, strided b',
    inputs: [given({ shape: [3, 4], layout: 'transposed' }), given({ shape: [4], layout: 'strided' })],
    attrs: {},
  },
  { note: 'a = b', inputs: [given({ shape: [3] }), given({ shape: [3], layout: 'same' })], attrs: {} },
  { note: 'far values', inputs: PAIRS.map(given), attrs: {} },
];

function logical(name: string, call: Compare): FunctionRecord<NoAttrs> {
  const [first, ...more] = TRUTHS;
  return {
    inputs: ['a', 'b'],
    call: ([a, b]) => call(a, b),
    samples: [first, ...more],
    errors: [
      {
        note: 'no broadcast',
        inputs: [{ shape: [2] }, { shape: [3] }],
        attrs: {},
        error: 'ShapeError',
        says: `${name}(a, b): b: shapes do not broadcast (axis -1): a is float64[2], b is float64[3]`,
      },
    ],
  };
}

export const elementwise = {
  minimum,
  clamp,
  eq: comparison('eq', (a, b) => a.eq(b)),
  ne: comparison('ne', (a, b) => a.ne(b)),
  lt: comparison('lt', (a, b) => a.lt(b)),
  le: comparison('le', (a, b) => a.le(b)),
  gt: comparison('gt', (a, b) => a.gt(b)),
  ge: comparison('ge', (a, b) => a.ge(b)),
  logicalAnd: logical('logicalAnd', logicalAnd),
  logicalOr: logical('logicalOr', logicalOr),
  logicalNot: record<NoAttrs>({
    inputs: ['x'],
    call: ([x]) => logicalNot(x),
    samples: [
      { note: 'bools', inputs: [{ shape: [2], dtype: 'bool', values: [0, 1] }], attrs: {} },
      { note: 'integers', inputs: [{ shape: [3], dtype: 'int32', values: [0, -3, 1] }], attrs: {} },
      { note: 'zero size', inputs: [given({ shape: [0, 3] })], attrs: {} },
      ...layouts({}, { constant: true }),
      { note: 'far values', inputs: [given({ shape: [9], values: ENDS })], attrs: {} },
    ],
    errors: REFUSES_NOTHING,
  }),
};
