import type { CasesOf } from '../sample.ts';
import type * as op from './crossEntropy.ts';

export const crossEntropy: CasesOf<typeof op.crossEntropy> = {
  torch: 'F.cross_entropy(logits, targets.long(), ignore_index=ignoreIndex, reduction="none")',
  samples: [
    {
      note: 'plain',
      inputs: [{ shape: [3, 4] }, { shape: [3], dtype: 'int32', values: [0, 3, 1] }],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'ignored rows',
      inputs: [{ shape: [4, 3] }, { shape: [4], dtype: 'int32', values: [-100, 2, -100, 0] }],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'all ignored',
      inputs: [{ shape: [2, 3] }, { shape: [2], dtype: 'int32', values: [-1, -1] }],
      attrs: { ignoreIndex: -1 },
    },
    {
      note: 'no rows',
      inputs: [{ shape: [0, 3] }, { shape: [0], dtype: 'int32', values: [] }],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1] }, { shape: [1], dtype: 'int32', values: [0] }],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'transposed',
      inputs: [
        { shape: [2, 4], layout: 'transposed' },
        { shape: [2], dtype: 'int32', values: [3, 0] },
      ],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'strided',
      inputs: [
        { shape: [2, 4], layout: 'strided' },
        { shape: [2], dtype: 'int32', values: [1, 2] },
      ],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'many classes',
      inputs: [
        { shape: [3, 1000], range: [-9, 9] },
        { shape: [3], dtype: 'int32', values: [999, 0, 500] },
      ],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'far logits, the largest first',
      inputs: [
        { shape: [1, 3], values: [900, 0, -700] },
        { shape: [1], dtype: 'int32', values: [0] },
      ],
      attrs: { ignoreIndex: -100 },
    },
    {
      note: 'far logits',
      inputs: [
        { shape: [1, 3], values: [-700, 0, 900] },
        { shape: [1], dtype: 'int32', values: [0] },
      ],
      attrs: { ignoreIndex: -100 },
    },
  ],
  errors: [
    {
      note: 'one target short',
      inputs: [{ shape: [3, 4] }, { shape: [2], dtype: 'int32', values: [0, 1] }],
      attrs: { ignoreIndex: -100 },
      error: 'ShapeError',
      says: 'needs one target for each of the 3 rows: logits is float64[3,4], targets is int32[2]',
    },
    {
      note: 'targets in a column',
      inputs: [{ shape: [2, 4] }, { shape: [2, 1], dtype: 'int32', values: [0, 1] }],
      attrs: { ignoreIndex: -100 },
      error: 'ShapeError',
      says: 'needs one target for each of the 2 rows: logits is float64[2,4], targets is int32[2,1]',
    },
    {
      note: 'integer logits',
      inputs: [
        { shape: [1, 2], dtype: 'int32', values: [3, 4] },
        { shape: [1], dtype: 'int32', values: [0] },
      ],
      attrs: { ignoreIndex: -100 },
      error: 'DTypeError',
      says: 'logits: needs float32 or float64: logits is int32[1,2]',
    },
    {
      note: 'logits with three axes',
      inputs: [{ shape: [2, 3, 4] }, { shape: [2], dtype: 'int32', values: [0, 1] }],
      attrs: { ignoreIndex: -100 },
      error: 'ShapeError',
      says: 'logits: needs shape [R,V]: logits is float64[2,3,4]',
    },
    {
      note: 'float targets',
      inputs: [{ shape: [2, 4] }, { shape: [2] }],
      attrs: { ignoreIndex: -100 },
      error: 'DTypeError',
      says: 'targets: needs int32',
    },
  ],
};
