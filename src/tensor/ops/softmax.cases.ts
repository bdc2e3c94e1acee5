import type { CasesOf } from '../sample.ts';
import type * as op from './softmax.ts';

const INFINITY = Number.POSITIVE_INFINITY;

export const softmax: CasesOf<typeof op.softmax> = {
  torch: 'softmax(x, causal)',
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 5] }], attrs: { causal: false } },
    { note: 'vector', inputs: [{ shape: [4] }], attrs: { causal: false } },
    { note: 'causal', inputs: [{ shape: [2, 4, 4] }], attrs: { causal: true } },
    { note: 'causal, last rows of more columns', inputs: [{ shape: [2, 3, 7] }], attrs: { causal: true } },
    { note: 'one column', inputs: [{ shape: [3, 1] }], attrs: { causal: false } },
    { note: 'zero rows', inputs: [{ shape: [0, 3] }], attrs: { causal: false } },
    { note: 'transposed', inputs: [{ shape: [3, 4], layout: 'transposed' }], attrs: { causal: false } },
    { note: 'far values', inputs: [{ shape: [1, 3], values: [-900, 0, 800] }], attrs: { causal: false } },
    { note: 'strided', inputs: [{ shape: [2, 5], layout: 'strided' }], attrs: { causal: false } },
    { note: 'a thousand columns', inputs: [{ shape: [3, 1000], range: [-9, 9] }], attrs: { causal: false } },
    { note: 'causal, size-1 axes', inputs: [{ shape: [1, 1, 1] }], attrs: { causal: true } },
    {
      note: 'hidden columns',
      inputs: [{ shape: [2, 3], values: [-INFINITY, 1, 2, 0, -INFINITY, -INFINITY] }],
      attrs: { causal: false },
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'scalar',
      inputs: [{ shape: [] }],
      attrs: { causal: false },
      error: 'ShapeError',
      says: 'needs at least 1 axes',
    },
    {
      note: 'a causal vector',
      inputs: [{ shape: [4] }],
      attrs: { causal: true },
      error: 'ShapeError',
      says: 'needs at least 2 axes: x is float64[4]',
    },
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32' }],
      attrs: { causal: false },
      error: 'DTypeError',
      says: 'x: needs float32 or float64: x is int32[2]',
    },
    {
      note: 'more rows than columns',
      inputs: [{ shape: [4, 3] }],
      attrs: { causal: true },
      error: 'ShapeError',
      says: '4 query rows are more than 3 key columns',
    },
  ],
};
