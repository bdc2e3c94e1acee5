/** Cases of the loss with all its options. */
import { crossEntropy } from '../../nn/index.ts';
import type { SampleInput } from '../../tensor/cases.ts';
import { record } from './record.ts';

interface Loss {
  readonly labels: readonly number[];
  readonly labelSmoothing?: number;
  readonly reduction?: 'mean' | 'sum' | 'none';
  readonly ignoreIndex?: number;
}

/** What a label of each class counts; no gradient is asked for, as PyTorch has none. */
const weights = (classes: number): SampleInput => ({ shape: [classes], range: [0.1, 2], constant: true });

export const crossEntropyCases = record<Loss>({
  inputs: ['logits', 'weight'],
  call: ([logits, weight], { labels, ...options }) => crossEntropy(logits, labels, { ...options, weight }),
  samples: [
    { note: 'mean', inputs: [{ shape: [4, 5] }], attrs: { labels: [2, 0, 4, 1] } },
    { note: 'sum', inputs: [{ shape: [3, 4] }], attrs: { labels: [3, 0, 3], reduction: 'sum' } },
    {
      note: 'none, one ignored',
      inputs: [{ shape: [3, 4] }],
      attrs: { labels: [3, -100, 3], reduction: 'none' },
    },
    {
      note: 'another number that is ignored',
      inputs: [{ shape: [3, 4] }],
      attrs: { labels: [3, 0, 1], ignoreIndex: 0 },
    },
    { note: 'weights', inputs: [{ shape: [4, 3] }, weights(3)], attrs: { labels: [2, 0, 1, 2] } },
    {
      note: 'weights, some ignored',
      inputs: [{ shape: [4, 3] }, weights(3)],
      attrs: { labels: [2, -100, 1, -100] },
    },
    {
      note: 'weights, sum',
      inputs: [{ shape: [4, 3] }, weights(3)],
      attrs: { labels: [2, 0, 1, -100], reduction: 'sum' },
    },
    {
      note: 'weights, none',
      inputs: [{ shape: [4, 3] }, weights(3)],
      attrs: { labels: [2, 0, 1, -100], reduction: 'none' },
    },
    { note: 'smoothed', inputs: [{ shape: [3, 5] }], attrs: { labels: [2, 0, 4], labelSmoothing: 0.1 } },
    {
      note: 'smoothed, some ignored',
      inputs: [{ shape: [4, 5] }],
      attrs: { labels: [2, -100, 4, -100], labelSmoothing: 0.3 },
    },
    {
      note: 'smoothed, weights',
      inputs: [{ shape: [4, 5] }, weights(5)],
      attrs: { labels: [2, -100, 4, 0], labelSmoothing: 0.2 },
    },
    {
      note: 'smoothed, weights, sum',
      inputs: [{ shape: [4, 5] }, weights(5)],
      attrs: { labels: [2, -100, 4, 0], labelSmoothing: 0.2, reduction: 'sum' },
    },
    {
      note: 'smoothed, weights, none',
      inputs: [{ shape: [4, 5] }, weights(5)],
      attrs: { labels: [2, -100, 4, 0], labelSmoothing: 0.2, reduction: 'none' },
    },
    {
      note: 'nothing but smooth',
      inputs: [{ shape: [3, 4] }],
      attrs: { labels: [2, 0, 3], labelSmoothing: 1 },
    },
    {
      note: 'transposed',
      inputs: [{ shape: [2, 4], layout: 'transposed' }],
      attrs: { labels: [3, 0], labelSmoothing: 0.1 },
    },
    {
      note: 'strided',
      inputs: [{ shape: [2, 4], layout: 'strided' }, weights(4)],
      attrs: { labels: [3, 0] },
    },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }], attrs: { labels: [0] } },
    { note: 'no rows', inputs: [{ shape: [0, 3] }], attrs: { labels: [], reduction: 'sum' } },
    {
      note: 'many classes',
      inputs: [{ shape: [3, 1000], range: [-9, 9] }, weights(1000)],
      attrs: { labels: [999, 0, 500], labelSmoothing: 0.1 },
    },
    {
      note: 'far logits',
      inputs: [{ shape: [1, 3], values: [-700, 0, 900] }],
      attrs: { labels: [0], labelSmoothing: 0.1 },
      noDifferences: 'a step of 1e-5 loses digits beside 900',
    },
  ],
  errors: [
    {
      note: 'no such class',
      inputs: [{ shape: [2, 3] }],
      attrs: { labels: [0, 3] },
      error: 'ShapeError',
      says: 'crossEntropy(logits): labels: label 3 at 1 is neither one of the 3 classes nor -100: logits is float64[2,3]',
    },
    {
      note: 'a label short',
      inputs: [{ shape: [2, 3] }],
      attrs: { labels: [0], labelSmoothing: 0.1 },
      error: 'ShapeError',
      says: 'crossEntropy(logits): labels: needs one target for each of the 2 rows, got 1: logits is float64[2,3]',
    },
    {
      note: 'logits with three axes',
      inputs: [{ shape: [2, 3, 4] }],
      attrs: { labels: [0, 1] },
      error: 'ShapeError',
      says: 'crossEntropy(logits): logits: needs shape [R,V]: logits is float64[2,3,4]',
    },
    {
      note: 'another number of weights',
      inputs: [{ shape: [2, 3] }, { shape: [2] }],
      attrs: { labels: [0, 1] },
      error: 'ShapeError',
      says: 'crossEntropy(weight): weight: needs shape [3]: weight is float64[2]',
    },
    {
      note: 'integer weights',
      inputs: [{ shape: [2, 3] }, { shape: [3], dtype: 'int32', values: [1, 2, 3] }],
      attrs: { labels: [0, 1] },
      error: 'DTypeError',
      says: 'crossEntropy(logits, weight): weight: dtypes differ (weight is not float64)',
    },
    {
      note: 'smoothed too much',
      inputs: [{ shape: [2, 3] }],
      attrs: { labels: [0, 1], labelSmoothing: 1.5 },
      error: 'RangeError',
      says: 'crossEntropy(logits): labelSmoothing: needs 0 ≤ ε ≤ 1, got 1.5',
    },
  ],
});
