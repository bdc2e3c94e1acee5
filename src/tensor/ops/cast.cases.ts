import type { DType } from '../../kernels/index.ts';
import type { CasesOf } from '../sample.ts';
import type * as op from './cast.ts';

const { NaN: NAN } = Number;

export const cast: CasesOf<typeof op.cast> = {
  torch: 'x.to(DTYPES[dtype])',
  samples: [
    { note: 'to float64', inputs: [{ shape: [2, 3] }], attrs: { dtype: 'float64' } },
    {
      note: 'to float32, transposed',
      inputs: [{ shape: [2, 3], layout: 'transposed' }],
      attrs: { dtype: 'float32' },
      noDifferences: 'float32 changes in steps larger than a difference',
    },
    {
      note: 'to bool, strided',
      inputs: [{ shape: [4], values: [0, -0, 0.25, NAN], layout: 'strided' }],
      attrs: { dtype: 'bool' },
    },
    { note: 'zero size', inputs: [{ shape: [0, 2] }], attrs: { dtype: 'int32' } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }], attrs: { dtype: 'int32' } },
    {
      note: 'to integers, at the ends',
      inputs: [{ shape: [4], values: [-2147483648, 2147483520, -0.999, 16777217] }],
      attrs: { dtype: 'int32' },
    },
    { note: 'to integers', inputs: [{ shape: [3], values: [-1.7, 0.2, 2.9] }], attrs: { dtype: 'int32' } },
    {
      note: 'integers to floats',
      inputs: [{ shape: [3], dtype: 'int32', values: [-3, 0, 7] }],
      attrs: { dtype: 'float64' },
    },
  ],
  errors: [
    {
      note: 'a dtype that is none',
      inputs: [{ shape: [2] }],
      attrs: { dtype: 'float16' as DType },
      error: 'DTypeError',
      says: 'dtype: float16 is none of float32, float64, int32, bool: x is float64[2]',
    },
  ],
};
