/** Cases of functions that cut, join and lay out: nothing is computed, and gradients go back where the numbers came from. */
import { stack } from '../../tensor/index.ts';
import { ENDS, joined, layouts, record } from './record.ts';

/** What only moves keeps its bits. */
const FAR = {
  note: 'far values',
  inputs: [{ shape: [3, 3], values: ENDS }],
  noDifferences: 'infinities',
} as const;

const transpose = record<{ a: number; b: number }>({
  inputs: ['x'],
  call: ([x], { a, b }) => x.transpose(a, b),
  samples: [
    { note: 'first and last', inputs: [{ shape: [2, 3, 4] }], attrs: { a: 0, b: -1 } },
    { note: 'an axis with itself', inputs: [{ shape: [2, 3] }], attrs: { a: 1, b: 1 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { a: 0, b: 1 } },
    ...layouts({ a: -2, b: -1 }),
    { ...FAR, attrs: { a: 0, b: 1 } },
  ],
  errors: [
    {
      note: 'no such axis',
      inputs: [{ shape: [2, 3] }],
      attrs: { a: 0, b: 2 },
      error: 'ShapeError',
      says: 'transpose(x): b: axis 2 is not one of the 2 axes: x is float64[2,3]. Hint: use -2…1.',
    },
  ],
});

const squeeze = record<{ axis?: number }>({
  inputs: ['x'],
  call: ([x], { axis }) => x.squeeze(axis),
  samples: [
    { note: 'all axes of size 1', inputs: [{ shape: [1, 3, 1, 2, 1] }], attrs: {} },
    { note: 'one of them', inputs: [{ shape: [1, 3, 1] }], attrs: { axis: -1 } },
    { note: 'an axis of another size stays', inputs: [{ shape: [1, 3] }], attrs: { axis: 1 } },
    { note: 'to a scalar', inputs: [{ shape: [1, 1] }], attrs: {} },
    { note: 'zero size', inputs: [{ shape: [0, 1] }], attrs: {} },
    ...layouts({}),
    { ...FAR, inputs: [{ shape: [9, 1], values: ENDS }], attrs: { axis: 1 } },
  ],
  errors: [
    {
      note: 'no such axis',
      inputs: [{ shape: [1, 3] }],
      attrs: { axis: 2 },
      error: 'ShapeError',
      says: 'squeeze(x): axis: axis 2 is not one of the 2 axes',
    },
  ],
});

const unsqueeze = record<{ axis: number }>({
  inputs: ['x'],
  call: ([x], { axis }) => x.unsqueeze(axis),
  samples: [
    { note: 'in front', inputs: [{ shape: [2, 3] }], attrs: { axis: 0 } },
    { note: 'behind', inputs: [{ shape: [2, 3] }], attrs: { axis: -1 } },
    { note: 'of a scalar', inputs: [{ shape: [] }], attrs: { axis: 0 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { axis: 1 } },
    ...layouts({ axis: 1 }),
    { ...FAR, attrs: { axis: 1 } },
  ],
  errors: [
    {
      note: 'no such place',
      inputs: [{ shape: [2, 3] }],
      attrs: { axis: 3 },
      error: 'ShapeError',
      says: 'unsqueeze(x): axis: a new axis cannot stand at 3: x is float64[2,3]. Hint: use -3…2.',
    },
  ],
});

const flatten = record<{ start?: number; end?: number }>({
  inputs: ['x'],
  call: ([x], { start, end }) => x.flatten(start, end),
  samples: [
    { note: 'everything', inputs: [{ shape: [2, 3, 2] }], attrs: {} },
    { note: 'all but the first', inputs: [{ shape: [2, 3, 2] }], attrs: { start: 1 } },
    { note: 'in the middle', inputs: [{ shape: [2, 3, 2, 2] }], attrs: { start: 1, end: -2 } },
    { note: 'a scalar', inputs: [{ shape: [] }], attrs: {} },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: {} },
    ...layouts({}),
    { ...FAR, attrs: {} },
  ],
  errors: [
    {
      note: 'the end in front of the start',
      inputs: [{ shape: [2, 3, 4] }],
      attrs: { start: 2, end: 1 },
      error: 'ShapeError',
      says: 'flatten(x): start: start 2 is behind end 1: x is float64[2,3,4]',
    },
  ],
});

const split = record<{ sizes: number | readonly number[]; axis: number }>({
  inputs: ['x'],
  call: ([x], { sizes, axis }) => joined(x.split(sizes, axis)),
  samples: [
    { note: 'equal parts', inputs: [{ shape: [6, 2] }], attrs: { sizes: 2, axis: 0 } },
    { note: 'the last is short', inputs: [{ shape: [2, 7] }], attrs: { sizes: 3, axis: -1 } },
    { note: 'one part', inputs: [{ shape: [3] }], attrs: { sizes: 5, axis: 0 } },
    { note: 'sizes', inputs: [{ shape: [6, 2] }], attrs: { sizes: [1, 0, 3, 2], axis: 0 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { sizes: 2, axis: 0 } },
    ...layouts({ sizes: 2, axis: 0 }),
    {
      note: 'integers',
      inputs: [{ shape: [5], dtype: 'int32', values: [1, 2, 3, 4, 5] }],
      attrs: { sizes: 2, axis: 0 },
    },
    { ...FAR, attrs: { sizes: 3, axis: 0 } },
  ],
  errors: [
    {
      note: 'sizes that do not add up',
      inputs: [{ shape: [2, 5] }],
      attrs: { sizes: [2, 2], axis: 1 },
      error: 'ShapeError',
      says: 'split(x): sizes: parts of 2, 2 do not make 5 elements (axis 1): x is float64[2,5]',
    },
    {
      note: 'a negative size',
      inputs: [{ shape: [3] }],
      attrs: { sizes: [4, -1], axis: 0 },
      error: 'ShapeError',
      says: 'parts of 4, -1 do not make 3 elements',
    },
    {
      note: 'parts of nothing',
      inputs: [{ shape: [3] }],
      attrs: { sizes: 0, axis: 0 },
      error: 'ShapeError',
      says: 'parts of 0 do not make 3 elements',
    },
  ],
});

const chunk = record<{ count: number; axis: number }>({
  inputs: ['x'],
  call: ([x], { count, axis }) => joined(x.chunk(count, axis)),
  samples: [
    { note: 'equal parts', inputs: [{ shape: [6, 2] }], attrs: { count: 3, axis: 0 } },
    { note: 'the last is short', inputs: [{ shape: [2, 7] }], attrs: { count: 3, axis: 1 } },
    { note: 'fewer than asked for', inputs: [{ shape: [6] }], attrs: { count: 4, axis: 0 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { count: 2, axis: 0 } },
    ...layouts({ count: 2, axis: 0 }),
    { ...FAR, attrs: { count: 1, axis: 1 } },
  ],
  errors: [
    {
      note: 'no chunks',
      inputs: [{ shape: [3] }],
      attrs: { count: 0, axis: 0 },
      error: 'ShapeError',
      says: 'chunk(x): count: needs a whole number of chunks, at least 1, not 0: x is float64[3]',
    },
  ],
});

const stacked = record<{ axis: number }>({
  inputs: ['part'],
  variadic: true,
  call: (parts, { axis }) => stack(parts, axis),
  samples: [
    { note: 'rows', inputs: [{ shape: [3] }, { shape: [3] }, { shape: [3] }], attrs: { axis: 0 } },
    { note: 'columns', inputs: [{ shape: [2, 3] }, { shape: [2, 3] }], attrs: { axis: -1 } },
    { note: 'scalars', inputs: [{ shape: [] }, { shape: [] }], attrs: { axis: 0 } },
    { note: 'one part', inputs: [{ shape: [2] }], attrs: { axis: 1 } },
    { note: 'zero size', inputs: [{ shape: [0, 2] }, { shape: [0, 2] }], attrs: { axis: 1 } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attrs: { axis: 1 } },
    {
      note: 'one transposed, one strided',
      inputs: [
        { shape: [2, 3], layout: 'transposed' },
        { shape: [2, 3], layout: 'strided' },
      ],
      attrs: { axis: 1 },
    },
    { note: 'twice the same', inputs: [{ shape: [2] }, { shape: [2], layout: 'same' }], attrs: { axis: 0 } },
    {
      ...FAR,
      inputs: [
        { shape: [9], values: ENDS },
        { shape: [9], values: ENDS },
      ],
      attrs: { axis: 0 },
    },
  ],
  errors: [
    {
      note: 'nothing',
      inputs: [],
      attrs: { axis: 0 },
      error: 'ShapeError',
      says: 'stack(): parts: needs at least one tensor',
    },
    {
      note: 'other shape',
      inputs: [{ shape: [2, 3] }, { shape: [3, 2] }],
      attrs: { axis: 0 },
      error: 'ShapeError',
      says: 'stack(part0, part1): part1: has another shape than the first: part0 is float64[2,3], part1 is float64[3,2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { axis: 0 },
      error: 'DTypeError',
      says: 'stack(part0, part1): part1: dtypes differ (part1 is not float64)',
    },
  ],
});

export const shapes = { transpose, squeeze, unsqueeze, flatten, split, chunk, stack: stacked };
