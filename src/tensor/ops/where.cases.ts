import type { CasesOf } from '../sample.ts';
import type * as op from './where.ts';

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

export const where: CasesOf<typeof op.where> = {
  torch: 'torch.where(condition, a, b)',
  samples: [
    {
      note: 'plain',
      inputs: [{ shape: [2, 2], dtype: 'bool', values: [1, 0, 0, 1] }, { shape: [2, 2] }, { shape: [2, 2] }],
      attrs: {},
    },
    {
      note: 'broadcast',
      inputs: [{ shape: [3, 1], dtype: 'bool', values: [1, 0, 1] }, { shape: [3, 2] }, { shape: [] }],
      attrs: {},
    },
    {
      note: 'transposed a, strided b',
      inputs: [
        { shape: [2, 3], dtype: 'bool', values: [1, 0, 0, 1, 1, 0] },
        { shape: [2, 3], layout: 'transposed' },
        { shape: [3], layout: 'strided' },
      ],
      attrs: {},
    },
    {
      note: 'zero size',
      inputs: [{ shape: [0, 2], dtype: 'bool', values: [] }, { shape: [0, 2] }, { shape: [2] }],
      attrs: {},
    },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1], dtype: 'bool', values: [0] }, { shape: [1, 1] }, { shape: [1] }],
      attrs: {},
    },
    {
      note: 'a = b',
      inputs: [
        { shape: [3], dtype: 'bool', values: [1, 0, 1] },
        { shape: [3] },
        { shape: [3], layout: 'same' },
      ],
      attrs: {},
    },
    {
      note: 'what is not chosen is not seen',
      inputs: [
        { shape: [4], dtype: 'bool', values: [1, 0, 1, 0] },
        { shape: [4], values: [1, NAN, -INFINITY, INFINITY] },
        { shape: [4], values: [NAN, 2, INFINITY, -0] },
      ],
      attrs: {},
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'float condition',
      inputs: [{ shape: [2] }, { shape: [2] }, { shape: [2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'condition: needs bool: condition is float64[2]',
    },
    {
      note: 'dtypes',
      inputs: [
        { shape: [2], dtype: 'bool', values: [0, 1] },
        { shape: [2] },
        { shape: [2], dtype: 'int32', values: [1, 2] },
      ],
      attrs: {},
      error: 'DTypeError',
      says: 'dtypes differ (b is not float64)',
    },
    {
      note: 'a and b that do not broadcast',
      inputs: [{ shape: [2], dtype: 'bool', values: [0, 1] }, { shape: [2] }, { shape: [3] }],
      attrs: {},
      error: 'ShapeError',
      says: 'shapes do not broadcast: condition is bool[2], a is float64[2], b is float64[3]',
    },
    {
      note: 'a condition that does not broadcast',
      inputs: [{ shape: [3], dtype: 'bool', values: [0, 1, 1] }, { shape: [2] }, { shape: [2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'shapes do not broadcast: condition is bool[3], a is float64[2], b is float64[2]',
    },
  ],
};
