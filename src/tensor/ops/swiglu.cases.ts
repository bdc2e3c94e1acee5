import type { CasesOf } from '../sample.ts';
import type * as op from './swiglu.ts';

export const swiglu: CasesOf<typeof op.swiglu> = {
  torch: 'F.silu(gate) * up',
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 4] }, { shape: [3, 4] }], attrs: {} },
    {
      note: 'transposed gate',
      inputs: [{ shape: [3, 4], layout: 'transposed' }, { shape: [3, 4] }],
      attrs: {},
    },
    { note: 'gate = up', inputs: [{ shape: [4] }, { shape: [4], layout: 'same' }], attrs: {} },
    { note: 'zero size', inputs: [{ shape: [0, 4] }, { shape: [0, 4] }], attrs: {} },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attrs: {} },
    { note: 'strided up', inputs: [{ shape: [3, 4] }, { shape: [3, 4], layout: 'strided' }], attrs: {} },
    { note: 'a thousand', inputs: [{ shape: [2, 515], range: [-9, 9] }, { shape: [2, 515] }], attrs: {} },
    {
      note: 'far values',
      inputs: [{ shape: [4], values: [-90, -20, 20, 90] }, { shape: [4] }],
      attrs: {},
    },
  ],
  errors: [
    {
      note: 'other shape',
      inputs: [{ shape: [3, 4] }, { shape: [4] }],
      attrs: {},
      error: 'ShapeError',
      says: 'up: shapes differ: gate is float64[3,4], up is float64[4]',
    },
    {
      note: 'integers',
      inputs: [
        { shape: [2], dtype: 'int32' },
        { shape: [2], dtype: 'int32' },
      ],
      attrs: {},
      error: 'DTypeError',
      says: 'gate: needs float32 or float64: gate is int32[2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [2] }, { shape: [2], dtype: 'float32' }],
      attrs: {},
      error: 'DTypeError',
      says: 'dtypes differ (up is not float64)',
    },
  ],
};
