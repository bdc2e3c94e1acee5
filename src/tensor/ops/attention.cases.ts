import type { CasesOf, Sample, SampleInput } from '../sample.ts';
import type * as op from './attention.ts';

const visibleKeys = (shape: readonly number[], values: readonly number[]): SampleInput => ({
  shape,
  values,
  dtype: 'bool',
});

/** One tensor in all three places. */
const same = (note: string, shape: readonly number[]): Sample<{ readonly causal: boolean }> => ({
  note,
  inputs: [{ shape }, { shape, layout: 'same' }, { shape, layout: 'same' }],
  attrs: { causal: false },
});

/** softmax(Tril(QKᵀ)/√K)·V as one fused op; `composed.attention` (composed.ts) is its definition. */
export const attention: CasesOf<typeof op.attention> = {
  torch: 'attention(q, k, v, visible, causal=causal)',
  samples: [
    same('q = k = v', [1, 2, 5, 4]),
    same('size-1 axes', [1, 1, 1, 1]),
    same('no queries, no keys', [2, 1, 0, 4]),
    same('no rows', [0, 2, 3, 4]),
    {
      note: 'strided',
      inputs: [
        { shape: [1, 1, 3, 4], layout: 'strided' },
        { shape: [1, 1, 3, 4], layout: 'strided' },
        { shape: [1, 1, 3, 4], layout: 'strided' },
      ],
      attrs: { causal: true },
    },
    {
      note: 'wide heads, many keys',
      inputs: [{ shape: [1, 2, 6, 112] }, { shape: [1, 2, 70, 112] }, { shape: [1, 2, 70, 112] }],
      attrs: { causal: true },
    },
    {
      note: 'scores in the hundreds',
      inputs: [
        { shape: [1, 1, 4, 8], range: [-20, 20] },
        { shape: [1, 1, 4, 8], range: [-20, 20] },
        { shape: [1, 1, 4, 8] },
      ],
      attrs: { causal: false },
    },
    {
      note: 'a query that sees nothing',
      inputs: [
        { shape: [1, 1, 3, 2] },
        { shape: [1, 1, 3, 2] },
        { shape: [1, 1, 3, 2] },
        visibleKeys([1, 3], [0, 1, 1]),
      ],
      attrs: { causal: true },
    },
    {
      note: 'full',
      inputs: [{ shape: [2, 2, 3, 4] }, { shape: [2, 2, 3, 4] }, { shape: [2, 2, 3, 4] }],
      attrs: { causal: false },
    },
    {
      note: 'more queries than keys',
      inputs: [{ shape: [1, 1, 4, 2] }, { shape: [1, 1, 2, 2] }, { shape: [1, 1, 2, 2] }],
      attrs: { causal: false },
    },
    {
      note: 'causal',
      inputs: [{ shape: [1, 2, 4, 2] }, { shape: [1, 2, 4, 2] }, { shape: [1, 2, 4, 2] }],
      attrs: { causal: true },
    },
    {
      note: 'grouped heads',
      inputs: [{ shape: [2, 4, 3, 2] }, { shape: [2, 2, 3, 2] }, { shape: [2, 2, 3, 2] }],
      attrs: { causal: true },
    },
    {
      note: 'last query of many keys',
      inputs: [{ shape: [1, 2, 1, 2] }, { shape: [1, 1, 5, 2] }, { shape: [1, 1, 5, 2] }],
      attrs: { causal: true },
    },
    {
      note: 'padded keys',
      inputs: [
        { shape: [2, 1, 3, 2] },
        { shape: [2, 1, 3, 2] },
        { shape: [2, 1, 3, 2] },
        visibleKeys([2, 3], [0, 1, 1, 1, 1, 0]),
      ],
      attrs: { causal: false },
    },
    {
      note: 'transposed heads',
      inputs: [
        { shape: [1, 2, 3, 4], layout: 'transposed' },
        { shape: [1, 2, 3, 4], layout: 'transposed' },
        { shape: [1, 2, 3, 4] },
      ],
      attrs: { causal: true },
    },
  ],
  errors: [
    {
      note: 'integers',
      inputs: [
        { shape: [1, 1, 2, 2], dtype: 'int32' },
        { shape: [1, 1, 2, 2], dtype: 'int32' },
        { shape: [1, 1, 2, 2], dtype: 'int32' },
      ],
      attrs: { causal: false },
      error: 'DTypeError',
      says: 'q: needs float32 or float64: q is int32[1,1,2,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 1, 2, 2] }, { shape: [1, 1, 2, 2] }, { shape: [1, 1, 2, 2], dtype: 'float32' }],
      attrs: { causal: false },
      error: 'DTypeError',
      says: 'dtypes differ (v is not float64)',
    },
    {
      note: 'no heads',
      inputs: [{ shape: [3, 4] }, { shape: [3, 4] }, { shape: [3, 4] }],
      attrs: { causal: false },
      error: 'ShapeError',
      says: 'q: needs shape [B,H,T,K]: q is float64[3,4]',
    },
    {
      note: 'values of another length',
      inputs: [{ shape: [1, 1, 3, 4] }, { shape: [1, 1, 3, 4] }, { shape: [1, 1, 2, 4] }],
      attrs: { causal: false },
      error: 'ShapeError',
      says: 'v: needs shape [1,1,3,4]: v is float64[1,1,2,4]',
    },
    {
      note: 'visible that are numbers',
      inputs: [{ shape: [1, 1, 2, 2] }, { shape: [1, 1, 2, 2] }, { shape: [1, 1, 2, 2] }, { shape: [1, 2] }],
      attrs: { causal: false },
      error: 'DTypeError',
      says: 'visible: needs bool: visible is float64[1,2]',
    },
    {
      note: 'visible of another length',
      inputs: [
        { shape: [1, 1, 2, 2] },
        { shape: [1, 1, 2, 2] },
        { shape: [1, 1, 2, 2] },
        visibleKeys([1, 3], [1, 1, 1]),
      ],
      attrs: { causal: false },
      error: 'ShapeError',
      says: 'visible: needs shape [1,2]: visible is bool[1,3]',
    },
    {
      note: 'heads that do not share evenly',
      inputs: [{ shape: [1, 3, 2, 4] }, { shape: [1, 2, 2, 4] }, { shape: [1, 2, 2, 4] }],
      attrs: { causal: false },
      error: 'ShapeError',
      says: '3 query heads do not share 2 key heads evenly (axis 1): q is float64[1,3,2,4], k is float64[1,2,2,4]',
    },
    {
      note: 'other head width',
      inputs: [{ shape: [1, 2, 3, 4] }, { shape: [1, 2, 3, 5] }, { shape: [1, 2, 3, 5] }],
      attrs: { causal: false },
      error: 'ShapeError',
      says: 'k: needs shape [1,H_kv,S,4]: k is float64[1,2,3,5]',
    },
    {
      note: 'more queries than keys',
      inputs: [{ shape: [1, 1, 3, 2] }, { shape: [1, 1, 2, 2] }, { shape: [1, 1, 2, 2] }],
      attrs: { causal: true },
      error: 'ShapeError',
      says: '3 queries are more than 2 keys',
    },
  ],
};
