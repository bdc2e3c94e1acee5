/** Cases of functions that choose elements by place, and of those that drop some. */
import { dropout, oneHot, Rng, type Tensor, takeAlongAxis, topk, tril, triu } from '../../tensor/index.ts';
import { ENDS, type FunctionRecord, INFINITY, layouts, record } from './record.ts';

const take = record<{ axis: number }>({
  inputs: ['x', 'index'],
  call: ([x, index], { axis }) => takeAlongAxis(x, index, axis),
  samples: [
    {
      note: 'last axis',
      inputs: [{ shape: [2, 4] }, { shape: [2, 3], dtype: 'int32', values: [3, 0, 1, 2, 2, 0] }],
      attrs: { axis: -1 },
    },
    {
      note: 'first axis, repeated',
      inputs: [{ shape: [3, 2] }, { shape: [4, 2], dtype: 'int32', values: [0, 2, 0, 2, 0, 1, 1, 1] }],
      attrs: { axis: 0 },
    },
    {
      note: 'in the middle, transposed',
      inputs: [
        { shape: [2, 3, 2], layout: 'transposed' },
        { shape: [2, 2, 2], dtype: 'int32', values: [0, 1, 2, 2, 1, 0, 0, 2] },
      ],
      attrs: { axis: 1 },
    },
    {
      note: 'an index for all rows',
      inputs: [
        { shape: [3, 4], layout: 'strided' },
        { shape: [1, 2], dtype: 'int32', values: [3, 1] },
      ],
      attrs: { axis: 1 },
    },
    {
      note: 'a row for all indices',
      inputs: [{ shape: [1, 4] }, { shape: [3, 1], dtype: 'int32', values: [3, 1, 3] }],
      attrs: { axis: 1 },
    },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1] }, { shape: [1, 1], dtype: 'int32', values: [0] }],
      attrs: { axis: 0 },
    },
    {
      note: 'no indices',
      inputs: [{ shape: [2, 3] }, { shape: [2, 0], dtype: 'int32', values: [] }],
      attrs: { axis: 1 },
    },
    {
      note: 'far values',
      inputs: [
        { shape: [1, 9], values: ENDS },
        { shape: [1, 9], dtype: 'int32', values: [8, 7, 6, 5, 4, 3, 2, 1, 0] },
      ],
      attrs: { axis: 1 },
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'an index past the end',
      inputs: [{ shape: [2, 3] }, { shape: [2, 1], dtype: 'int32', values: [0, 3] }],
      attrs: { axis: 1 },
      error: 'RangeError',
      says: 'takeAlongAxis: index: element 1 is 3, expected one of the 3 places 0…2',
    },
    {
      note: 'an index before the front',
      inputs: [{ shape: [2, 3] }, { shape: [2, 1], dtype: 'int32', values: [-1, 0] }],
      attrs: { axis: 1 },
      error: 'RangeError',
      says: 'takeAlongAxis: index: element 0 is -1, expected one of the 3 places 0…2',
    },
    {
      note: 'fewer axes',
      inputs: [{ shape: [2, 3] }, { shape: [2], dtype: 'int32', values: [0, 1] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'takeAlongAxis(x, index): index: needs the shape of x beside the axis, or 1 there (axis 1): x is float64[2,3], index is int32[2]',
    },
    {
      note: 'other rows',
      inputs: [{ shape: [2, 3] }, { shape: [3, 1], dtype: 'int32', values: [0, 1, 2] }],
      attrs: { axis: 1 },
      error: 'ShapeError',
      says: 'needs the shape of x beside the axis, or 1 there (axis 1)',
    },
    {
      note: 'float index',
      inputs: [{ shape: [2, 3] }, { shape: [2, 1] }],
      attrs: { axis: 1 },
      error: 'DTypeError',
      says: 'takeAlongAxis(index): index: needs int32: index is float64[2,1]',
    },
  ],
});

const top = record<{ k: number; axis?: number; largest?: boolean; result: 'values' | 'indices' }>({
  inputs: ['x'],
  call: ([x], { k, result, ...options }) => topk(x, k, options)[result],
  samples: [
    { note: 'plain', inputs: [{ shape: [3, 7] }], attrs: { k: 3, result: 'values' } },
    { note: 'places', inputs: [{ shape: [3, 7], constant: true }], attrs: { k: 3, result: 'indices' } },
    { note: 'smallest', inputs: [{ shape: [3, 7] }], attrs: { k: 2, largest: false, result: 'values' } },
    { note: 'first axis', inputs: [{ shape: [5, 2] }], attrs: { k: 2, axis: 0, result: 'values' } },
    { note: 'all in order', inputs: [{ shape: [12] }], attrs: { k: 12, result: 'values' } },
    { note: 'none', inputs: [{ shape: [2, 3] }], attrs: { k: 0, result: 'values' } },
    { note: 'no rows', inputs: [{ shape: [0, 3] }], attrs: { k: 2, result: 'values' } },
    ...layouts({ k: 1, result: 'values' } as const),
    {
      note: 'infinities',
      inputs: [{ shape: [6], values: [-INFINITY, 2, INFINITY, -INFINITY, -3e38, -INFINITY] }],
      attrs: { k: 6, result: 'values' },
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'more than there are',
      inputs: [{ shape: [2, 3] }],
      attrs: { k: 4, result: 'values' },
      error: 'ShapeError',
      says: 'topk(x): k: 4 is not a number of elements from 0 to 3 (axis 1): x is float64[2,3]',
    },
    {
      note: 'fewer than none',
      inputs: [{ shape: [2, 3] }],
      attrs: { k: -1, result: 'values' },
      error: 'ShapeError',
      says: 'topk(x): k: -1 is not a number of elements from 0 to 3 (axis 1)',
    },
    {
      note: 'one and a half',
      inputs: [{ shape: [2, 3] }],
      attrs: { k: 1.5, result: 'values' },
      error: 'ShapeError',
      says: 'topk(x): k: 1.5 is not a number of elements from 0 to 3 (axis 1)',
    },
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { k: 1, result: 'values' },
      error: 'DTypeError',
      says: 'topk(x): x: needs float32 or float64: x is int32[2]',
    },
  ],
});

const hot = record<{ classes: number; dtype: 'float32' | 'int32' | 'bool' }>({
  inputs: ['index'],
  call: ([index], { classes, dtype }) => oneHot(index, classes, { dtype }),
  samples: [
    {
      note: 'plain',
      inputs: [{ shape: [4], dtype: 'int32', values: [2, 0, 2, 1] }],
      attrs: { classes: 4, dtype: 'float32' },
    },
    {
      note: 'strided',
      inputs: [{ shape: [3], dtype: 'int32', values: [0, 1, 1], layout: 'strided' }],
      attrs: { classes: 2, dtype: 'float32' },
    },
    {
      note: 'integers, two axes, transposed',
      inputs: [{ shape: [2, 3], dtype: 'int32', values: [0, 1, 2, 2, 1, 0], layout: 'transposed' }],
      attrs: { classes: 3, dtype: 'int32' },
    },
    {
      note: 'bools',
      inputs: [{ shape: [], dtype: 'int32', values: [1] }],
      attrs: { classes: 2, dtype: 'bool' },
    },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1], dtype: 'int32', values: [0] }],
      attrs: { classes: 1, dtype: 'float32' },
    },
    {
      note: 'zero size',
      inputs: [{ shape: [0], dtype: 'int32', values: [] }],
      attrs: { classes: 3, dtype: 'float32' },
    },
  ],
  errors: [
    {
      note: 'no such class',
      inputs: [{ shape: [3], dtype: 'int32', values: [0, 1, 2] }],
      attrs: { classes: 2, dtype: 'float32' },
      error: 'RangeError',
      says: 'oneHot: index: element 2 is 2, expected one of the 2 places 0…1',
    },
    {
      note: 'half a class',
      inputs: [{ shape: [1], dtype: 'int32', values: [0] }],
      attrs: { classes: 1.5, dtype: 'float32' },
      error: 'ShapeError',
      says: 'oneHot(index): classes: needs a whole number of classes, at least 1, not 1.5',
    },
    {
      note: 'no classes',
      inputs: [{ shape: [1], dtype: 'int32', values: [0] }],
      attrs: { classes: 0, dtype: 'float32' },
      error: 'ShapeError',
      says: 'oneHot(index): classes: needs a whole number of classes, at least 1, not 0: index is int32[1]',
    },
    {
      note: 'floats',
      inputs: [{ shape: [1] }],
      attrs: { classes: 2, dtype: 'float32' },
      error: 'DTypeError',
      says: 'oneHot(index): index: needs int32: index is float64[1]',
    },
  ],
});

function triangle(
  name: string,
  call: (x: Tensor, diagonal?: number) => Tensor,
): FunctionRecord<{ diagonal?: number }> {
  return record<{ diagonal?: number }>({
    inputs: ['x'],
    call: ([x], { diagonal }) => call(x, diagonal),
    samples: [
      { note: 'square', inputs: [{ shape: [4, 4] }], attrs: {} },
      { note: 'wide, above the diagonal', inputs: [{ shape: [3, 5] }], attrs: { diagonal: 1 } },
      { note: 'tall, below it', inputs: [{ shape: [2, 5, 3] }], attrs: { diagonal: -2 } },
      { note: 'beyond the corner', inputs: [{ shape: [2, 2] }], attrs: { diagonal: -5 } },
      { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: {} },
      ...layouts({}),
      { note: 'integers', inputs: [{ shape: [2, 2], dtype: 'int32', values: [1, 2, 3, 4] }], attrs: {} },
      { note: 'bools', inputs: [{ shape: [2, 2], dtype: 'bool', values: [1, 1, 1, 1] }], attrs: {} },
      {
        note: 'far values',
        inputs: [{ shape: [3, 3], values: ENDS }],
        attrs: {},
        noDifferences: 'infinities',
      },
    ],
    errors: [
      {
        note: 'a vector',
        inputs: [{ shape: [3] }],
        attrs: {},
        error: 'ShapeError',
        says: `${name}(x): x: needs at least 2 axes: x is float64[3]`,
      },
      {
        note: 'half a diagonal',
        inputs: [{ shape: [2, 2] }],
        attrs: { diagonal: 0.5 },
        error: 'ShapeError',
        says: `${name}(x): diagonal: needs a whole number, not 0.5: x is float64[2,2]`,
      },
    ],
  });
}

/** The seed is PyTorch's too: its side draws the same numbers. */
const dropped = record<{ p: number; seed: number; train?: boolean }>({
  inputs: ['x'],
  call: ([x], { seed, ...options }) => dropout(x, { ...options, rng: new Rng(seed) }),
  samples: [
    { note: 'half', inputs: [{ shape: [6, 7] }], attrs: { p: 0.5, seed: 1 } },
    { note: 'a tenth', inputs: [{ shape: [300] }], attrs: { p: 0.1, seed: 2 } },
    { note: 'everything', inputs: [{ shape: [5] }], attrs: { p: 1, seed: 3 } },
    { note: 'nothing', inputs: [{ shape: [5] }], attrs: { p: 0, seed: 3 } },
    { note: 'not in training', inputs: [{ shape: [5] }], attrs: { p: 0.5, seed: 4, train: false } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { p: 0.5, seed: 5 } },
    ...layouts({ p: 0.3, seed: 6 }),
    {
      note: 'far numbers',
      inputs: [{ shape: [4, 4], range: [-1e6, 1e6] }],
      attrs: { p: 0.5, seed: 7 },
      noDifferences: 'a step is lost beside 1e6',
    },
  ],
  errors: [
    {
      note: 'more than all',
      inputs: [{ shape: [2] }],
      attrs: { p: 1.5, seed: 1 },
      error: 'RangeError',
      says: 'dropout(x): p: needs 0 ≤ p ≤ 1, got 1.5',
    },
    {
      note: 'integers',
      inputs: [{ shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { p: 0.5, seed: 1 },
      error: 'DTypeError',
      says: 'dropout(x): x: needs float32 or float64: x is int32[2]',
    },
  ],
});

export const indexing = {
  takeAlongAxis: take,
  topk: top,
  oneHot: hot,
  tril: triangle('tril', tril),
  triu: triangle('triu', triu),
  dropout: dropped,
};
