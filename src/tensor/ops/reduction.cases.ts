import type { CasesOf } from '../sample.ts';
import type * as op from './reduction.ts';

const INFINITY = Number.POSITIVE_INFINITY;

export const sum: CasesOf<typeof op.sum> = {
  torch: 'x.sum(axes, keepdim=True, dtype=x.dtype) if axes else x.clone()',
  samples: [
    { note: 'one axis', inputs: [{ shape: [3, 4] }], attrs: { axes: [1] } },
    { note: 'leading axes', inputs: [{ shape: [2, 3, 4] }], attrs: { axes: [0, 1] } },
    { note: 'all', inputs: [{ shape: [2, 3], layout: 'transposed' }], attrs: { axes: [0, 1] } },
    { note: 'empty axis', inputs: [{ shape: [0, 3] }], attrs: { axes: [0] } },
    { note: 'no axes', inputs: [{ shape: [3] }], attrs: { axes: [] } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }], attrs: { axes: [0] } },
    { note: 'strided', inputs: [{ shape: [2, 5], layout: 'strided' }], attrs: { axes: [1] } },
    { note: 'a thousand', inputs: [{ shape: [3, 1000], range: [0, 2] }], attrs: { axes: [1] } },
    {
      note: 'numbers that cancel',
      inputs: [{ shape: [4], values: [1e8, 1, -1e8, 1] }],
      attrs: { axes: [0] },
      noDifferences: 'a step of 1e-5 is lost beside 1e8',
    },
    {
      note: 'integers',
      inputs: [{ shape: [2, 2], dtype: 'int32', values: [7, -9, 1, 4] }],
      attrs: { axes: [0] },
    },
  ],
  errors: [
    {
      note: 'axis twice',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [1, 1] },
      error: 'ShapeError',
      says: '[1,1] are not distinct axes in rising order',
    },
    {
      note: 'no such axis',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [2] },
      error: 'ShapeError',
      says: '[2] are not distinct axes in rising order',
    },
    {
      note: 'axis from the end',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [-1] },
      error: 'ShapeError',
      says: '[-1] are not distinct axes in rising order',
    },
    {
      note: 'half an axis',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [0.5] },
      error: 'ShapeError',
      says: '[0.5] are not distinct axes in rising order',
    },
    {
      note: 'bools',
      inputs: [{ shape: [2], dtype: 'bool', values: [0, 1] }],
      attrs: { axes: [0] },
      error: 'DTypeError',
      says: 'x: needs float32 or float64 or int32: x is bool[2]',
    },
  ],
};

export const max: CasesOf<typeof op.max> = {
  torch: 'x.amax(axis, keepdim=True)',
  samples: [
    { note: 'last axis', inputs: [{ shape: [3, 5] }], attrs: { axis: 1 } },
    { note: 'first axis, transposed', inputs: [{ shape: [4, 2], layout: 'transposed' }], attrs: { axis: 0 } },
    { note: 'size-1 axis', inputs: [{ shape: [3, 1] }], attrs: { axis: 1 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { axis: 1 } },
    { note: 'strided', inputs: [{ shape: [2, 5], layout: 'strided' }], attrs: { axis: 1 } },
    {
      note: 'ties',
      inputs: [{ shape: [2, 4], values: [1, 3, 3, 0, -2, -2, -2, -2] }],
      attrs: { axis: 1 },
      noDifferences: 'a kink, where PyTorch shares evenly',
    },
    {
      note: 'infinities',
      inputs: [{ shape: [3, 2], values: [-INFINITY, 3e38, INFINITY, 0, -INFINITY, -3e38] }],
      attrs: { axis: 1 },
      noDifferences: 'a step does not change them',
    },
  ],
  errors: [
    {
      note: 'empty axis',
      inputs: [{ shape: [2, 0] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'an empty axis has no maximum (axis 1): x is float64[2,0]',
    },
    {
      note: 'bools',
      inputs: [{ shape: [2], dtype: 'bool', values: [0, 1] }],
      attrs: { axis: 0 },
      error: 'DTypeError',
      says: 'x: needs float32 or float64 or int32: x is bool[2]',
    },
  ],
};
