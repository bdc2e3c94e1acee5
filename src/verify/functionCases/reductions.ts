/** Cases of functions that reduce an axis or run along it. */

import type { Sample } from '../../tensor/cases.ts';
import { cumsum } from '../../tensor/index.ts';
import { ENDS, INFINITY, layouts, record } from './record.ts';

interface Reduced {
  readonly axis?: number;
  readonly keepDim?: boolean;
}

/** Reductions of floats: one axis, everything, kept axes, any layout, nothing. */
const reduced = <Attrs>(attrs: Attrs): Sample<Attrs & Reduced>[] => [
  { note: 'one axis', inputs: [{ shape: [3, 4] }], attrs: { ...attrs, axis: 1 } },
  {
    note: 'kept, from the end',
    inputs: [{ shape: [2, 3, 4] }],
    attrs: { ...attrs, axis: -2, keepDim: true },
  },
  { note: 'a thousand', inputs: [{ shape: [3, 1000], range: [-9, 9] }], attrs: { ...attrs, axis: 1 } },
  ...layouts({ ...attrs, axis: 0 }),
  { note: 'no rows', inputs: [{ shape: [0, 3] }], attrs: { ...attrs, axis: 1 } },
];

const mean = record<Reduced>({
  inputs: ['x'],
  call: ([x], { axis, keepDim }) => x.mean(axis, keepDim),
  samples: [{ note: 'everything', inputs: [{ shape: [3, 4] }], attrs: {} }, ...reduced({})],
  errors: [
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'mean(x): x: needs float32 or float64: x is int32[2]',
    },
  ],
});

interface Deviation extends Reduced {
  readonly correction?: number;
}

/** Of one number there is no deviation with correction 1, so that its sample has 0. */
const DEVIATIONS: Sample<Deviation>[] = [
  ...reduced<Deviation>({ correction: 0 }),
  { note: 'of a sample', inputs: [{ shape: [3, 5] }], attrs: { axis: 1 } },
  { note: 'correction 2', inputs: [{ shape: [3, 5] }], attrs: { axis: 1, correction: 2 } },
  { note: 'far from zero', inputs: [{ shape: [2, 64], range: [99, 101] }], attrs: { axis: 1 } },
  { note: 'one number alone', inputs: [{ shape: [2, 1], constant: true }], attrs: { axis: 1 } },
];

const variance = record<Deviation>({
  inputs: ['x'],
  call: ([x], { axis, ...options }) => x.var(axis, options),
  samples: [
    { note: 'everything', inputs: [{ shape: [3, 4] }], attrs: {} },
    ...DEVIATIONS,
    { note: 'equal numbers', inputs: [{ shape: [4], values: [3, 3, 3, 3] }], attrs: {} },
  ],
  errors: [
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'var(x): x: needs float32 or float64: x is int32[2]',
    },
    {
      note: 'no such axis',
      inputs: [{ shape: [2, 3] }],
      attrs: { axis: 2 },
      error: 'ShapeError',
      says: 'var(x): axis: axis 2 is not one of the 2 axes',
    },
  ],
});

const deviation = record<Deviation>({
  inputs: ['x'],
  call: ([x], { axis, ...options }) => x.std(axis, options),
  samples: [
    { note: 'everything', inputs: [{ shape: [3, 4] }], attrs: {} },
    ...DEVIATIONS.map(
      (sample): Sample<Deviation> =>
        sample.note === 'size-1 axes'
          ? { ...sample, noDifferences: 'a root at 0, where PyTorch has slope 0' }
          : sample,
    ),
    {
      note: 'equal numbers',
      inputs: [{ shape: [2, 4], values: [3, 3, 3, 3, 1, 2, 3, 4] }],
      attrs: { axis: 1 },
      noDifferences: 'a root at 0, where PyTorch has slope 0',
    },
  ],
  errors: [
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'std(x): x: needs float32 or float64: x is int32[2]',
    },
  ],
});

/** p as text where JSON has no number for it. */
interface Norm extends Reduced {
  readonly p?: number | 'inf';
}

const norm = record<Norm>({
  inputs: ['x'],
  call: ([x], { p, axis, keepDim }) => x.norm(p === 'inf' ? INFINITY : p, axis, keepDim),
  samples: [
    { note: 'everything', inputs: [{ shape: [3, 4] }], attrs: {} },
    ...reduced<Norm>({}),
    { note: 'p = 1', inputs: [{ shape: [3, 4] }], attrs: { p: 1, axis: 0 } },
    { note: 'p = 3', inputs: [{ shape: [3, 4] }], attrs: { p: 3, axis: 1 } },
    { note: 'p = 1.5', inputs: [{ shape: [3, 4], range: [0.1, 2] }], attrs: { p: 1.5 } },
    { note: 'p = ∞', inputs: [{ shape: [3, 4] }], attrs: { p: 'inf', axis: 1 } },
    { note: 'p = ∞, everything', inputs: [{ shape: [3, 4] }], attrs: { p: 'inf' } },
    ...([1, 2, 3, 'inf'] as const).map(
      (p): Sample<Norm> => ({
        note: `zeros, p = ${p === 'inf' ? '∞' : p}`,
        inputs: [{ shape: [2, 3], values: [0, 0, 0, 1, -2, 0] }],
        attrs: { p, axis: 1 },
        noDifferences: 'a kink at 0, where PyTorch has slope 0',
      }),
    ),
  ],
  errors: [
    {
      note: 'p = 1/2',
      inputs: [{ shape: [2] }],
      attrs: { p: 0.5 },
      error: 'RangeError',
      says: 'norm(x): p: needs 1 ≤ p ≤ ∞, got 0.5',
    },
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'norm(x): x: needs float32 or float64: x is int32[2]',
    },
  ],
});

const argmax = record<{ axis: number }>({
  inputs: ['x'],
  call: ([x], { axis }) => x.argmax(axis),
  samples: [
    { note: 'one axis', inputs: [{ shape: [3, 5], constant: true }], attrs: { axis: 1 } },
    { note: 'a thousand', inputs: [{ shape: [3, 1000], constant: true }], attrs: { axis: -1 } },
    ...layouts({ axis: 0 }, { constant: true }),
    { note: 'no rows', inputs: [{ shape: [0, 3], constant: true }], attrs: { axis: 1 } },
    {
      note: 'integers',
      inputs: [{ shape: [4], dtype: 'int32', values: [3, 2147483647, -9, 7] }],
      attrs: { axis: 0 },
    },
    { note: 'far values', inputs: [{ shape: [9], values: ENDS, constant: true }], attrs: { axis: 0 } },
  ],
  errors: [
    {
      note: 'empty axis',
      inputs: [{ shape: [2, 0] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'argmax(x): axis: an empty axis has no maximum (axis 1): x is float64[2,0]',
    },
  ],
});

const TRUTHS: Sample<Reduced>[] = [
  {
    note: 'bools',
    inputs: [{ shape: [3, 2], dtype: 'bool', values: [0, 0, 0, 1, 1, 1] }],
    attrs: { axis: 1 },
  },
  {
    note: 'kept',
    inputs: [{ shape: [2, 2], dtype: 'int32', values: [0, 0, -1, 7] }],
    attrs: { axis: 0, keepDim: true },
  },
  { note: 'no rows', inputs: [{ shape: [0, 3], constant: true }], attrs: { axis: 1 } },
  { note: 'of nothing', inputs: [{ shape: [0, 3], constant: true }], attrs: { axis: 0 } },
  ...layouts({ axis: 0 }, { constant: true }),
  { note: 'far values', inputs: [{ shape: [3, 3], values: ENDS, constant: true }], attrs: { axis: 1 } },
];

const any = record<Reduced>({
  inputs: ['x'],
  call: ([x], { axis, keepDim }) => x.any(axis, keepDim),
  samples: [
    { note: 'everything', inputs: [{ shape: [4], constant: true, values: [0, 0, 1e-30, 0] }], attrs: {} },
    ...TRUTHS,
  ],
  errors: [
    {
      note: 'no such axis',
      inputs: [{ shape: [2] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'any(x): axis: axis 1 is not one of the 1 axes: x is float64[2]',
    },
  ],
});

const all = record<Reduced>({
  inputs: ['x'],
  call: ([x], { axis, keepDim }) => x.all(axis, keepDim),
  samples: [{ note: 'everything', inputs: [{ shape: [4], constant: true }], attrs: {} }, ...TRUTHS],
  errors: [
    {
      note: 'no such axis',
      inputs: [{ shape: [2] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'all(x): axis: axis 1 is not one of the 1 axes: x is float64[2]',
    },
  ],
});

const logSoftmax = record<{ axis: number }>({
  inputs: ['x'],
  call: ([x], { axis }) => x.logSoftmax(axis),
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 5] }], attrs: { axis: -1 } },
    { note: 'first axis', inputs: [{ shape: [4, 2, 3] }], attrs: { axis: 0 } },
    { note: 'no rows', inputs: [{ shape: [0, 3] }], attrs: { axis: 1 } },
    ...layouts({ axis: 1 }),
    {
      note: 'a thousand columns',
      inputs: [{ shape: [3, 1000], range: [-9, 9] }],
      attrs: { axis: 1 },
      noDifferences: 'the logarithm’s rounding is in all columns, and adds up to as much as a difference',
    },
    {
      note: 'far numbers',
      inputs: [{ shape: [2, 3], values: [-900, 0, 800, 1e4, 1e4, -1e4] }],
      attrs: { axis: 1 },
      noDifferences: 'a step of 1e-5 loses digits beside 1e4',
    },
    {
      note: 'hidden columns',
      inputs: [{ shape: [2, 3], values: [-INFINITY, 1, 2, 0, -INFINITY, -INFINITY] }],
      attrs: { axis: 1 },
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'no such axis',
      inputs: [{ shape: [3] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'logSoftmax(x): axis: axis 1 is not one of the 1 axes: x is float64[3]',
    },
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { axis: 0 },
      error: 'DTypeError',
      says: 'logSoftmax(x): x: needs float32 or float64: x is int32[2]',
    },
  ],
});

const runningSum = record<{ axis: number }>({
  inputs: ['x'],
  call: ([x], { axis }) => cumsum(x, axis),
  samples: [
    { note: 'one axis', inputs: [{ shape: [3, 5] }], attrs: { axis: 1 } },
    { note: 'the first of three', inputs: [{ shape: [8, 2, 2] }], attrs: { axis: 0 } },
    { note: 'a thousand', inputs: [{ shape: [2, 1000] }], attrs: { axis: -1 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { axis: 0 } },
    ...layouts({ axis: 1 }),
    {
      note: 'integers',
      inputs: [{ shape: [4], dtype: 'int32', values: [2147483647, 1, -3, 9] }],
      attrs: { axis: 0 },
    },
    {
      note: 'far values',
      inputs: [{ shape: [3, 3], values: [1, INFINITY, 2, 3, -INFINITY, INFINITY, 3e38, -3e38, 1e-37] }],
      attrs: { axis: 1 },
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'no such axis',
      inputs: [{ shape: [2, 3] }],
      attrs: { axis: 2 },
      error: 'ShapeError',
      says: 'cumsum(x): axis: axis 2 is not one of the 2 axes',
    },
    {
      note: 'bools',
      inputs: [{ shape: [2], dtype: 'bool', values: [1, 1] }],
      attrs: { axis: 0 },
      error: 'DTypeError',
      says: 'cumsum(x): x: needs float32 or float64 or int32: x is bool[2]',
    },
  ],
});

export const reductions = {
  mean,
  var: variance,
  std: deviation,
  norm,
  argmax,
  any,
  all,
  logSoftmax,
  cumsum: runningSum,
};
