/** Cases of sums of products, of convolution, and of the loss with all its options. */
import { type Conv2dOptions, conv2d, crossEntropy } from '../../nn/index.ts';
import type { SampleInput } from '../../tensor/cases.ts';
import { einsum } from '../../tensor/index.ts';
import { ENDS, record } from './record.ts';

const ein = record<{ equation: string }>({
  inputs: ['operand'],
  variadic: true,
  call: (operands, { equation }) => einsum(equation, ...operands),
  samples: [
    {
      note: 'a product of matrices',
      inputs: [{ shape: [3, 4] }, { shape: [4, 2] }],
      attrs: { equation: 'ij,jk->ik' },
    },
    {
      note: 'the same, implicit',
      inputs: [{ shape: [3, 4] }, { shape: [4, 2] }],
      attrs: { equation: 'ij, jk' },
    },
    {
      note: 'implicit, letters out of order',
      inputs: [{ shape: [3, 4] }, { shape: [2, 3] }],
      attrs: { equation: 'ba,cb' },
    },
    { note: 'capitals first', inputs: [{ shape: [3] }, { shape: [2] }], attrs: { equation: 'a,B' } },
    {
      note: 'in batches',
      inputs: [{ shape: [2, 3, 4] }, { shape: [2, 4, 5] }],
      attrs: { equation: 'bij,bjk->bik' },
    },
    {
      note: 'scores of attention',
      inputs: [{ shape: [2, 3, 2, 4] }, { shape: [2, 5, 2, 4] }],
      attrs: { equation: 'bthk,bshk->bhts' },
    },
    { note: 'elementwise', inputs: [{ shape: [3, 4] }, { shape: [3, 4] }], attrs: { equation: 'ij,ij->ij' } },
    { note: 'an outer product', inputs: [{ shape: [3] }, { shape: [4] }], attrs: { equation: 'i,j->ji' } },
    { note: 'an inner product', inputs: [{ shape: [5] }, { shape: [5] }], attrs: { equation: 'i,i->' } },
    { note: 'a trace', inputs: [{ shape: [4, 4] }], attrs: { equation: 'ii' } },
    { note: 'a diagonal', inputs: [{ shape: [3, 2, 3] }], attrs: { equation: 'iji->ji' } },
    {
      note: 'three times one letter',
      inputs: [{ shape: [3, 3, 3] }, { shape: [3, 2] }],
      attrs: { equation: 'iii,ij->j' },
    },
    { note: 'a transpose', inputs: [{ shape: [2, 3] }], attrs: { equation: 'ij->ji' } },
    { note: 'a sum', inputs: [{ shape: [2, 3, 4] }], attrs: { equation: 'ijk->j' } },
    {
      note: 'sums of one side',
      inputs: [{ shape: [2, 3, 2] }, { shape: [3, 4, 3] }],
      attrs: { equation: 'aib,icd->c' },
    },
    {
      note: 'three operands',
      inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [4, 2] }],
      attrs: { equation: 'ij,jk,kl->il' },
    },
    {
      note: 'bilinear',
      inputs: [{ shape: [3, 2] }, { shape: [4, 2, 5] }, { shape: [3, 5] }],
      attrs: { equation: 'bn,anm,bm->ba' },
    },
    {
      note: 'dots',
      inputs: [{ shape: [2, 3, 4, 5] }, { shape: [5, 2] }],
      attrs: { equation: '...i,ij->...j' },
    },
    {
      note: 'dots that broadcast',
      inputs: [{ shape: [2, 1, 3, 4] }, { shape: [5, 4, 2] }],
      attrs: { equation: '...ij,...jk->...ik' },
    },
    {
      note: 'dots, implicit',
      inputs: [{ shape: [2, 3, 4] }, { shape: [4] }],
      attrs: { equation: 'a...,...' },
    },
    { note: 'dots summed over', inputs: [{ shape: [2, 3, 4] }], attrs: { equation: 'i...->i' } },
    {
      note: 'an axis of 1 that broadcasts',
      inputs: [{ shape: [3, 1] }, { shape: [3, 4] }],
      attrs: { equation: 'ij,ij->ij' },
    },
    { note: 'a scalar', inputs: [{ shape: [] }, { shape: [3] }], attrs: { equation: ',i->i' } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attrs: { equation: 'ij,jk->ik' } },
    { note: 'zero size', inputs: [{ shape: [2, 0] }, { shape: [0, 3] }], attrs: { equation: 'ij,jk->ik' } },
    {
      note: 'transposed, strided',
      inputs: [
        { shape: [3, 4], layout: 'transposed' },
        { shape: [4, 2], layout: 'strided' },
      ],
      attrs: { equation: 'ij,jk->ik' },
    },
    {
      note: 'x with itself',
      inputs: [{ shape: [3, 4] }, { shape: [3, 4], layout: 'same' }],
      attrs: { equation: 'ij,kj->ik' },
    },
    { note: 'long rows', inputs: [{ shape: [2, 300] }, { shape: [300] }], attrs: { equation: 'ij,j' } },
    {
      note: 'far values',
      inputs: [{ shape: [3, 3], values: ENDS }],
      attrs: { equation: 'ij->ji' },
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'another number of operands',
      inputs: [{ shape: [2, 3] }],
      attrs: { equation: 'ij,jk->ik' },
      error: 'ShapeError',
      says: "einsum(operand0): equation: 'ij,jk->ik' has 2 terms for 1 operands: operand0 is float64[2,3]",
    },
    {
      note: 'a sign that is no letter',
      inputs: [{ shape: [2, 3] }],
      attrs: { equation: 'i1->i' },
      error: 'ShapeError',
      says: "equation: 'i1->i' is more than letters, '...', ',' and one '->'",
    },
    {
      note: 'two arrows',
      inputs: [{ shape: [2] }],
      attrs: { equation: 'i->i->i' },
      error: 'ShapeError',
      says: "'i->i->i' is more than letters",
    },
    {
      note: 'a letter short',
      inputs: [{ shape: [2, 3] }],
      attrs: { equation: 'i->i' },
      error: 'ShapeError',
      says: "operand0: has 2 axes, and 'i' names 1",
    },
    {
      note: 'more letters than axes beside the dots',
      inputs: [{ shape: [2] }],
      attrs: { equation: '...ij->...' },
      error: 'ShapeError',
      says: "operand0: has 1 axes, and '...ij' names 2",
    },
    {
      note: 'two sizes',
      inputs: [{ shape: [2, 3] }, { shape: [4, 2] }],
      attrs: { equation: 'ij,jk->ik' },
      error: 'ShapeError',
      says: 'operand1: j has size 4, and 3 elsewhere: operand0 is float64[2,3], operand1 is float64[4,2]',
    },
    {
      note: 'a diagonal of no square',
      inputs: [{ shape: [1, 3] }],
      attrs: { equation: 'ii->i' },
      error: 'ShapeError',
      says: 'operand0: i has size 3, and 1 elsewhere',
    },
    {
      note: 'dots that do not broadcast',
      inputs: [{ shape: [2, 3] }, { shape: [3, 3] }],
      attrs: { equation: '...i,...i->...' },
      error: 'ShapeError',
      says: 'operand1: an axis of the dots has size 3, and 2 elsewhere',
    },
    {
      note: 'a result from nowhere',
      inputs: [{ shape: [2] }],
      attrs: { equation: 'i->j' },
      error: 'ShapeError',
      says: "equation: the result 'j' has j of no operand",
    },
    {
      note: 'a result with a letter twice',
      inputs: [{ shape: [2] }],
      attrs: { equation: 'i->ii' },
      error: 'ShapeError',
      says: "equation: the result 'ii' has i twice",
    },
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { equation: 'i->i' },
      error: 'DTypeError',
      says: 'einsum(operand0): operand0: needs float32 or float64',
    },
  ],
});

type Conv = Omit<Conv2dOptions, 'bias'>;

const conv = record<Conv>({
  inputs: ['x', 'weight', 'bias'],
  call: ([x, weight, bias], options) => conv2d(x, weight, { ...options, bias }),
  samples: [
    { note: 'plain', inputs: [{ shape: [2, 3, 5, 6] }, { shape: [4, 3, 3, 2] }], attrs: {} },
    { note: 'bias', inputs: [{ shape: [2, 3, 4, 4] }, { shape: [5, 3, 3, 3] }, { shape: [5] }], attrs: {} },
    {
      note: 'stride and padding',
      inputs: [{ shape: [1, 2, 7, 6] }, { shape: [3, 2, 3, 3] }, { shape: [3] }],
      attrs: { stride: [2, 3], padding: [1, 2] },
    },
    {
      note: 'dilation',
      inputs: [{ shape: [1, 2, 7, 8] }, { shape: [2, 2, 3, 2] }],
      attrs: { dilation: [2, 3] },
    },
    {
      note: 'groups',
      inputs: [{ shape: [2, 4, 5, 5] }, { shape: [6, 2, 3, 3] }, { shape: [6] }],
      attrs: { groups: 2, padding: 1 },
    },
    {
      note: 'each channel alone',
      inputs: [{ shape: [1, 3, 5, 5] }, { shape: [3, 1, 3, 3] }],
      attrs: { groups: 3, padding: 1, stride: 2 },
    },
    {
      note: 'tiles',
      inputs: [{ shape: [2, 3, 5, 6] }, { shape: [4, 3, 2, 2] }, { shape: [4] }],
      attrs: { stride: 2 },
    },
    { note: 'one by one', inputs: [{ shape: [2, 3, 2, 3] }, { shape: [4, 3, 1, 1] }], attrs: {} },
    {
      note: 'same',
      inputs: [{ shape: [1, 2, 5, 6] }, { shape: [3, 2, 4, 3] }],
      attrs: { padding: 'same', dilation: [1, 2] },
    },
    {
      note: 'valid',
      inputs: [{ shape: [1, 2, 5, 6] }, { shape: [3, 2, 2, 3] }],
      attrs: { padding: 'valid' },
    },
    {
      note: 'many channels',
      inputs: [{ shape: [1, 24, 4, 4] }, { shape: [5, 24, 3, 3], range: [-0.3, 0.3] }],
      attrs: { padding: 1 },
    },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1, 1, 1] }, { shape: [1, 1, 1, 1] }], attrs: {} },
    { note: 'no pictures', inputs: [{ shape: [0, 2, 4, 4] }, { shape: [3, 2, 3, 3] }], attrs: {} },
    {
      note: 'transposed, strided',
      inputs: [
        { shape: [1, 2, 5, 4], layout: 'transposed' },
        { shape: [3, 2, 2, 2], layout: 'strided' },
      ],
      attrs: { padding: 1 },
    },
  ],
  errors: [
    {
      note: 'other channels',
      inputs: [{ shape: [1, 3, 4, 4] }, { shape: [2, 4, 3, 3] }],
      attrs: {},
      error: 'ShapeError',
      says: 'conv2d(x, weight): weight: 1 groups of 4 channels do not make 3, or 2 are not to be divided by 1 (axis 1)',
    },
    {
      note: 'groups that do not divide the result',
      inputs: [{ shape: [1, 4, 4, 4] }, { shape: [3, 2, 3, 3] }],
      attrs: { groups: 2 },
      error: 'ShapeError',
      says: '3 are not to be divided by 2',
    },
    {
      note: 'a window that does not fit',
      inputs: [{ shape: [1, 1, 4, 3] }, { shape: [1, 1, 3, 3] }],
      attrs: { dilation: 2, padding: [1, 0] },
      error: 'ShapeError',
      says: 'weight: a window of 5 does not fit into 3 (axis 3): x is float64[1,1,4,3], weight is float64[1,1,3,3]',
    },
    {
      note: 'three axes',
      inputs: [{ shape: [3, 4, 4] }, { shape: [2, 3, 3, 3] }],
      attrs: {},
      error: 'ShapeError',
      says: 'conv2d(x): x: needs shape [B,C,H,W]: x is float64[3,4,4]',
    },
    {
      note: 'another number of biases',
      inputs: [{ shape: [1, 1, 3, 3] }, { shape: [2, 1, 2, 2] }, { shape: [3] }],
      attrs: {},
      error: 'ShapeError',
      says: 'conv2d(bias): bias: needs shape [2]: bias is float64[3]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [1, 1, 3, 3] }, { shape: [1, 1, 1, 1], dtype: 'int32', values: [1] }],
      attrs: {},
      error: 'DTypeError',
      says: 'weight: dtypes differ (weight is not float64)',
    },
    {
      note: 'half a stride',
      inputs: [{ shape: [1, 1, 3, 3] }, { shape: [1, 1, 1, 1] }],
      attrs: { stride: 0.5 },
      error: 'RangeError',
      says: 'conv2d(x, weight): stride: needs whole numbers from 1, got 0.5, 0.5',
    },
    {
      note: 'same with a stride',
      inputs: [{ shape: [1, 1, 3, 3] }, { shape: [1, 1, 3, 3] }],
      attrs: { padding: 'same', stride: 2 },
      error: 'RangeError',
      says: "conv2d(x, weight): padding: 'same' needs stride 1, got 2, 2",
    },
  ],
});

interface Loss {
  readonly labels: readonly number[];
  readonly labelSmoothing?: number;
  readonly reduction?: 'mean' | 'sum' | 'none';
  readonly ignoreIndex?: number;
}

/** What a label of each class counts; no gradient is asked for, as PyTorch has none. */
const weights = (classes: number): SampleInput => ({ shape: [classes], range: [0.1, 2], constant: true });

const loss = record<Loss>({
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

export const products = { einsum: ein, conv2d: conv, crossEntropy: loss };
