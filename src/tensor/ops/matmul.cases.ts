import type { CasesOf } from '../sample.ts';
import type * as op from './matmul.ts';

export const matmul: CasesOf<typeof op.matmul> = {
  torch: 'a @ b',
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 4] }, { shape: [4, 5] }], attrs: {} },
    { note: 'one row', inputs: [{ shape: [1, 7] }, { shape: [7, 3] }], attrs: {} },
    { note: 'batch', inputs: [{ shape: [2, 3, 4] }, { shape: [2, 4, 2] }], attrs: {} },
    { note: 'batch and one matrix', inputs: [{ shape: [2, 3, 4] }, { shape: [4, 5] }], attrs: {} },
    { note: 'broadcast batch', inputs: [{ shape: [2, 1, 3, 4] }, { shape: [3, 4, 2] }], attrs: {} },
    {
      note: 'batches of batches and one matrix',
      inputs: [{ shape: [2, 2, 3, 4] }, { shape: [4, 5] }],
      attrs: {},
    },
    { note: 'one matrix and a batch', inputs: [{ shape: [3, 4] }, { shape: [2, 4, 5] }], attrs: {} },
    {
      note: 'both transposed',
      inputs: [
        { shape: [3, 4], layout: 'transposed' },
        { shape: [4, 5], layout: 'transposed' },
      ],
      attrs: {},
    },
    {
      note: 'transposed batch, one matrix',
      inputs: [{ shape: [2, 3, 4], layout: 'transposed' }, { shape: [4, 2] }],
      attrs: {},
    },
    { note: 'inner size 0', inputs: [{ shape: [2, 0] }, { shape: [0, 3] }], attrs: {} },
    { note: 'no rows', inputs: [{ shape: [0, 3] }, { shape: [3, 2] }], attrs: {} },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attrs: {} },
    { note: 'long sums', inputs: [{ shape: [7, 700] }, { shape: [700, 9] }], attrs: {} },
    {
      note: 'strided',
      inputs: [
        { shape: [3, 5], layout: 'strided' },
        { shape: [5, 2], layout: 'strided' },
      ],
      attrs: {},
    },
    {
      note: 'numbers that cancel',
      inputs: [
        { shape: [2, 3], values: [1e6, 1, -1e6, 3e-6, 1e12, -1e12] },
        { shape: [3, 2], values: [1, 2, 0.5, 3, 1, 2] },
      ],
      attrs: {},
      noDifferences: 'a step of 1e-5 is lost beside 1e12',
    },
    { note: 'x·x', inputs: [{ shape: [3, 3] }, { shape: [3, 3], layout: 'same' }], attrs: {} },
  ],
  errors: [
    {
      note: 'inner sizes',
      inputs: [{ shape: [2, 3, 4] }, { shape: [5, 4] }],
      attrs: {},
      error: 'ShapeError',
      says: 'inner sizes differ, a has 4 columns (axis -1) and b has 5 rows (axis -2): a is float64[2,3,4], b is float64[5,4]. Hint: did you mean b.transpose()?',
    },
    {
      note: 'vector',
      inputs: [{ shape: [4] }, { shape: [4, 2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'a: needs at least 2 axes',
    },
    {
      note: 'vector on the right',
      inputs: [{ shape: [2, 4] }, { shape: [4] }],
      attrs: {},
      error: 'ShapeError',
      says: 'b: needs at least 2 axes: a is float64[2,4], b is float64[4]',
    },
    {
      note: 'integers',
      inputs: [
        { shape: [1, 1], dtype: 'int32', values: [2] },
        { shape: [1, 1], dtype: 'int32', values: [3] },
      ],
      attrs: {},
      error: 'DTypeError',
      says: 'a: needs float32 or float64: a is int32[1,1]',
    },
    {
      note: 'batches',
      inputs: [{ shape: [2, 3, 4] }, { shape: [3, 4, 5] }],
      attrs: {},
      error: 'ShapeError',
      says: 'leading axes do not broadcast',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [2, 2] }, { shape: [2, 2], dtype: 'float32' }],
      attrs: {},
      error: 'DTypeError',
      says: 'dtypes differ (b is not float64)',
    },
  ],
};
