import type { CasesOf } from '../sample.ts';
import type * as op from './norm.ts';

export const layerNorm: CasesOf<typeof op.layerNorm> = {
  torch: 'F.layer_norm(x, weight.shape, weight, bias, eps)',
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 5] }, { shape: [5] }, { shape: [5] }], attrs: { eps: 1e-6 } },
    {
      note: 'three axes',
      inputs: [{ shape: [2, 3, 4] }, { shape: [4] }, { shape: [4] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'transposed',
      inputs: [{ shape: [4, 3], layout: 'transposed' }, { shape: [3], layout: 'strided' }, { shape: [3] }],
      attrs: { eps: 1e-5 },
    },
    { note: 'no rows', inputs: [{ shape: [0, 3] }, { shape: [3] }, { shape: [3] }], attrs: { eps: 1e-5 } },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1] }, { shape: [1] }, { shape: [1] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'wide',
      inputs: [{ shape: [2, 1000] }, { shape: [1000] }, { shape: [1000] }],
      attrs: { eps: 1e-6 },
    },
    {
      note: 'equal numbers, whose variance is 0',
      inputs: [{ shape: [1, 4], values: [3, 3, 3, 3] }, { shape: [4] }, { shape: [4] }],
      attrs: { eps: 1e-2 },
    },
    {
      note: 'far values',
      inputs: [{ shape: [2, 4], range: [-1e4, 1e4] }, { shape: [4] }, { shape: [4] }],
      attrs: { eps: 1e-6 },
    },
    {
      note: 'weight = bias',
      inputs: [{ shape: [2, 4] }, { shape: [4] }, { shape: [4], layout: 'same' }],
      attrs: { eps: 1e-5 },
    },
  ],
  errors: [
    {
      note: 'weight of another width',
      inputs: [{ shape: [3, 5] }, { shape: [4] }, { shape: [5] }],
      attrs: { eps: 1e-6 },
      error: 'ShapeError',
      says: 'weight: needs one number for each column of x (axis -1): x is float64[3,5], weight is float64[4]',
    },
    {
      note: 'bias of another width',
      inputs: [{ shape: [3, 5] }, { shape: [5] }, { shape: [4] }],
      attrs: { eps: 1e-6 },
      error: 'ShapeError',
      says: 'bias: needs one number for each column of x (axis -1): x is float64[3,5], bias is float64[4]',
    },
    {
      note: 'integers',
      inputs: [{ shape: [1, 2], dtype: 'int32' }, { shape: [2] }, { shape: [2] }],
      attrs: { eps: 1e-6 },
      error: 'DTypeError',
      says: 'x: needs float32 or float64: x is int32[1,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 2] }, { shape: [2] }, { shape: [2], dtype: 'float32' }],
      attrs: { eps: 1e-6 },
      error: 'DTypeError',
      says: 'dtypes differ (bias is not float64)',
    },
  ],
};

export const rmsNorm: CasesOf<typeof op.rmsNorm> = {
  torch: 'rms_norm(x, weight, eps)',
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 5] }, { shape: [5] }], attrs: { eps: 1e-5 } },
    { note: 'three axes', inputs: [{ shape: [2, 3, 4] }, { shape: [4] }], attrs: { eps: 1e-5 } },
    {
      note: 'transposed',
      inputs: [{ shape: [4, 3], layout: 'transposed' }, { shape: [3] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'strided',
      inputs: [
        { shape: [2, 4], layout: 'strided' },
        { shape: [4], layout: 'strided' },
      ],
      attrs: { eps: 1e-5 },
    },
    { note: 'no rows', inputs: [{ shape: [0, 3] }, { shape: [3] }], attrs: { eps: 1e-5 } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1] }], attrs: { eps: 1e-5 } },
    { note: 'wide', inputs: [{ shape: [2, 1000] }, { shape: [1000] }], attrs: { eps: 1e-5 } },
    {
      note: 'far values',
      inputs: [{ shape: [2, 4], range: [-1e4, 1e4] }, { shape: [4] }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'x = weight',
      inputs: [{ shape: [4] }, { shape: [4], layout: 'same' }],
      attrs: { eps: 1e-5 },
    },
    {
      note: 'a row of zeros',
      inputs: [{ shape: [1, 2], values: [0, 0] }, { shape: [2] }],
      attrs: { eps: 1e-2 },
    },
  ],
  errors: [
    {
      note: 'weight of another width',
      inputs: [{ shape: [3, 5] }, { shape: [3] }],
      attrs: { eps: 1e-5 },
      error: 'ShapeError',
      says: 'weight: needs one number for each column of x (axis -1): x is float64[3,5], weight is float64[3]',
    },
    {
      note: 'a column of weights',
      inputs: [{ shape: [3, 5] }, { shape: [5, 1] }],
      attrs: { eps: 1e-5 },
      error: 'ShapeError',
      says: 'weight: needs one number for each column of x (axis -1): x is float64[3,5], weight is float64[5,1]',
    },
    {
      note: 'integers',
      inputs: [{ shape: [1, 2], dtype: 'int32' }, { shape: [2] }],
      attrs: { eps: 1e-5 },
      error: 'DTypeError',
      says: 'x: needs float32 or float64: x is int32[1,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 2] }, { shape: [2], dtype: 'float32' }],
      attrs: { eps: 1e-5 },
      error: 'DTypeError',
      says: 'dtypes differ (weight is not float64)',
    },
  ],
};
