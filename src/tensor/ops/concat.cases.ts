import type { CasesOf } from '../sample.ts';
import type * as op from './concat.ts';

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

export const concat: CasesOf<typeof op.concat> = {
  torch: 'torch.cat(inputs, axis)',
  samples: [
    { note: 'rows', inputs: [{ shape: [2, 3] }, { shape: [1, 3] }], attrs: { axis: 0 } },
    {
      note: 'columns, one transposed',
      inputs: [{ shape: [2, 3], layout: 'transposed' }, { shape: [2, 1] }],
      attrs: { axis: 1 },
    },
    {
      note: 'an empty part',
      inputs: [{ shape: [0, 2] }, { shape: [3, 2] }, { shape: [1, 2] }],
      attrs: { axis: 0 },
    },
    {
      note: 'three parts',
      inputs: [{ shape: [1, 2] }, { shape: [2, 2] }, { shape: [1, 2] }],
      attrs: { axis: 0 },
    },
    {
      note: 'one part',
      inputs: [{ shape: [2, 3], layout: 'strided' }],
      attrs: { axis: 1 },
    },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attrs: { axis: 1 } },
    {
      note: 'far values',
      inputs: [
        { shape: [3], values: [-INFINITY, NAN, 3e38] },
        { shape: [2], values: [-0, INFINITY] },
      ],
      attrs: { axis: 0 },
      noDifferences: 'infinities',
    },
    {
      note: 'twice the same',
      inputs: [{ shape: [2, 2] }, { shape: [2, 2], layout: 'same' }],
      attrs: { axis: 1 },
    },
  ],
  errors: [
    {
      note: 'other width',
      inputs: [{ shape: [2, 3] }, { shape: [2, 4] }],
      attrs: { axis: 0 },
      error: 'ShapeError',
      says: 'part1: the parts differ beside the joined axis (axis 0): part0 is float64[2,3], part1 is float64[2,4]',
    },
    {
      note: 'fewer axes',
      inputs: [{ shape: [2, 3] }, { shape: [2] }],
      attrs: { axis: 0 },
      error: 'ShapeError',
      says: 'part1: the parts differ beside the joined axis (axis 0): part0 is float64[2,3], part1 is float64[2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { axis: 0 },
      error: 'DTypeError',
      says: 'dtypes differ (part1 is not float64)',
    },
  ],
};
