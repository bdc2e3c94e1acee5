import type { CasesOf, SampleInput } from '../sample.ts';
import type * as op from './rotary.ts';

const angles = (shape: readonly number[]): SampleInput => ({ shape, range: [-1, 1], constant: true });

export const rotary: CasesOf<typeof op.rotary> = {
  torch: 'rotary(x, cos, sin)',
  samples: [
    { note: 'plain', inputs: [{ shape: [1, 2, 3, 4] }, angles([1, 3, 2]), angles([1, 3, 2])], attrs: {} },
    { note: 'batch', inputs: [{ shape: [2, 1, 2, 6] }, angles([2, 2, 3]), angles([2, 2, 3])], attrs: {} },
    {
      note: 'strided',
      inputs: [{ shape: [1, 1, 3, 4], layout: 'strided' }, angles([1, 3, 2]), angles([1, 3, 2])],
      attrs: {},
    },
    { note: 'no rows', inputs: [{ shape: [1, 2, 0, 4] }, angles([1, 0, 2]), angles([1, 0, 2])], attrs: {} },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1, 1, 2] }, angles([1, 1, 1]), angles([1, 1, 1])],
      attrs: {},
    },
    {
      note: 'wide heads',
      inputs: [{ shape: [1, 2, 5, 128], range: [-9, 9] }, angles([1, 5, 64]), angles([1, 5, 64])],
      attrs: {},
    },
    {
      note: 'cos = sin',
      inputs: [{ shape: [1, 1, 2, 4] }, angles([1, 2, 2]), { ...angles([1, 2, 2]), layout: 'same' }],
      attrs: {},
    },
    {
      note: 'transposed x',
      inputs: [{ shape: [1, 2, 3, 4], layout: 'transposed' }, angles([1, 3, 2]), angles([1, 3, 2])],
      attrs: {},
    },
  ],
  errors: [
    {
      note: 'odd width',
      inputs: [{ shape: [1, 2, 3, 5] }, { shape: [1, 3, 2] }, { shape: [1, 3, 2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'needs an even head width (axis 3): x is float64[1,2,3,5]',
    },
    {
      note: 'angles of another length',
      inputs: [{ shape: [1, 2, 3, 4] }, { shape: [1, 4, 2] }, { shape: [1, 3, 2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'cos: needs shape [1,3,2]: cos is float64[1,4,2]',
    },
    {
      note: 'sines of another length',
      inputs: [{ shape: [1, 2, 3, 4] }, { shape: [1, 3, 2] }, { shape: [1, 3, 4] }],
      attrs: {},
      error: 'ShapeError',
      says: 'sin: needs shape [1,3,2]: sin is float64[1,3,4]',
    },
    {
      note: 'no heads',
      inputs: [{ shape: [3, 4] }, { shape: [1, 3, 2] }, { shape: [1, 3, 2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'x: needs shape [B,H,T,K]: x is float64[3,4]',
    },
    {
      note: 'integers',
      inputs: [
        { shape: [1, 1, 1, 2], dtype: 'int32' },
        { shape: [1, 1, 1], dtype: 'int32' },
        { shape: [1, 1, 1], dtype: 'int32' },
      ],
      attrs: {},
      error: 'DTypeError',
      says: 'x: needs float32 or float64: x is int32[1,1,1,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 1, 1, 2] }, { shape: [1, 1, 1] }, { shape: [1, 1, 1], dtype: 'float32' }],
      attrs: {},
      error: 'DTypeError',
      says: 'dtypes differ (sin is not float64)',
    },
  ],
};
