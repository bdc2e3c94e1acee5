import type { CasesOf } from '../sample.ts';
import type * as op from './gatherRows.ts';

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

export const gatherRows: CasesOf<typeof op.gatherRows> = {
  torch: 'x[index.long()]',
  samples: [
    { note: 'plain', inputs: [{ shape: [4, 3] }, { shape: [2], dtype: 'int32', values: [3, 1] }], attrs: {} },
    {
      note: 'of a vector',
      inputs: [{ shape: [4] }, { shape: [3], dtype: 'int32', values: [3, 0, 3] }],
      attrs: {},
    },
    {
      note: 'repeated rows',
      inputs: [{ shape: [3, 2] }, { shape: [4], dtype: 'int32', values: [1, 1, 0, 1] }],
      attrs: {},
    },
    { note: 'no rows', inputs: [{ shape: [3, 2] }, { shape: [0], dtype: 'int32', values: [] }], attrs: {} },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1] }, { shape: [1], dtype: 'int32', values: [0] }],
      attrs: {},
    },
    {
      note: 'strided',
      inputs: [
        { shape: [3, 4], layout: 'strided' },
        { shape: [3], dtype: 'int32', values: [2, 2, 0] },
      ],
      attrs: {},
    },
    {
      note: 'far values',
      inputs: [
        { shape: [3, 2], values: [-INFINITY, NAN, 3e38, -0, 1e-40, INFINITY] },
        { shape: [3], dtype: 'int32', values: [2, 0, 1] },
      ],
      attrs: {},
      noDifferences: 'infinities',
    },
    {
      note: 'transposed x, three axes',
      inputs: [
        { shape: [3, 2, 4], layout: 'transposed' },
        { shape: [2], dtype: 'int32', values: [2, 0] },
      ],
      attrs: {},
    },
  ],
  errors: [
    {
      note: 'float index',
      inputs: [{ shape: [4, 3] }, { shape: [2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'index: needs int32: index is float64[2]',
    },
    {
      note: 'a matrix of indices',
      inputs: [{ shape: [4, 3] }, { shape: [1, 2], dtype: 'int32', values: [0, 1] }],
      attrs: {},
      error: 'ShapeError',
      says: 'index: needs shape [N]: index is int32[1,2]',
    },
    {
      note: 'no rows to choose from',
      inputs: [{ shape: [] }, { shape: [1], dtype: 'int32', values: [0] }],
      attrs: {},
      error: 'ShapeError',
      says: 'x: needs at least 1 axis: x is float64[]',
    },
  ],
};
