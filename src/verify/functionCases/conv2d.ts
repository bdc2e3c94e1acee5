/** Cases of convolution by patches. */
import { type Conv2dOptions, conv2d } from '../../nn/index.ts';
import { record } from './record.ts';

type Conv = Omit<Conv2dOptions, 'bias'>;

export const conv2dCases = record<Conv>({
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
