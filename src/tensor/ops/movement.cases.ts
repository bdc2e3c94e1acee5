import type { CasesOf } from '../sample.ts';
import type * as op from './movement.ts';

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

/** What only moves keeps its bits. */
const FAR = {
  note: 'far values',
  inputs: [{ shape: [2, 3], values: [-INFINITY, -0, 1e-40, 3e38, INFINITY, NAN] }],
  noDifferences: 'infinities',
} as const;

export const reshape: CasesOf<typeof op.reshape> = {
  torch: 'x.reshape(shape)',
  samples: [
    { note: 'split an axis', inputs: [{ shape: [2, 6] }], attrs: { shape: [2, 3, 2] } },
    {
      note: 'merge transposed axes',
      inputs: [{ shape: [3, 4], layout: 'transposed' }],
      attrs: { shape: [12] },
    },
    { note: 'to a scalar', inputs: [{ shape: [1, 1] }], attrs: { shape: [] } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { shape: [3, 0, 2] } },
    { note: 'strided', inputs: [{ shape: [6], layout: 'strided' }], attrs: { shape: [2, 3] } },
    { note: 'size-1 axes come and go', inputs: [{ shape: [1, 3, 1] }], attrs: { shape: [3, 1, 1, 1] } },
    { ...FAR, attrs: { shape: [3, 2] } },
  ],
  errors: [
    {
      note: 'other size',
      inputs: [{ shape: [2, 3] }],
      attrs: { shape: [4, 2] },
      error: 'ShapeError',
      says: '[4,2] does not hold 6 elements: x is float64[2,3]',
    },
    {
      note: 'negative sizes',
      inputs: [{ shape: [2, 3] }],
      attrs: { shape: [-2, -3] },
      error: 'ShapeError',
      says: '[-2,-3] does not hold 6 elements',
    },
    {
      note: 'sizes that are no integers',
      inputs: [{ shape: [2, 3] }],
      attrs: { shape: [1.5, 4] },
      error: 'ShapeError',
      says: '[1.5,4] does not hold 6 elements',
    },
  ],
};

export const permute: CasesOf<typeof op.permute> = {
  torch: 'x.permute(axes)',
  samples: [
    { note: 'transpose', inputs: [{ shape: [2, 3] }], attrs: { axes: [1, 0] } },
    { note: 'cycle', inputs: [{ shape: [2, 3, 4] }], attrs: { axes: [2, 0, 1] } },
    { note: 'zero size', inputs: [{ shape: [0, 2] }], attrs: { axes: [1, 0] } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 3, 1] }], attrs: { axes: [2, 1, 0] } },
    { note: 'transposed', inputs: [{ shape: [2, 3], layout: 'transposed' }], attrs: { axes: [1, 0] } },
    { note: 'strided', inputs: [{ shape: [2, 3], layout: 'strided' }], attrs: { axes: [1, 0] } },
    { ...FAR, attrs: { axes: [1, 0] } },
  ],
  errors: [
    {
      note: 'axis twice',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [1, 1] },
      error: 'ShapeError',
      says: '[1,1] is not an order of the axes 0…1',
    },
    {
      note: 'an axis short',
      inputs: [{ shape: [2, 3] }],
      attrs: { axes: [0] },
      error: 'ShapeError',
      says: '[0] is not an order of the axes 0…1',
    },
  ],
};

export const expand: CasesOf<typeof op.expand> = {
  torch: 'x.expand(shape)',
  samples: [
    { note: 'grow an axis', inputs: [{ shape: [3, 1] }], attrs: { shape: [3, 4] } },
    { note: 'new axes', inputs: [{ shape: [2] }], attrs: { shape: [4, 3, 2] } },
    { note: 'scalar', inputs: [{ shape: [] }], attrs: { shape: [2, 2] } },
    { note: 'rows of one', inputs: [{ shape: [1, 1] }], attrs: { shape: [2, 1] } },
    { note: 'columns of one', inputs: [{ shape: [1, 1] }], attrs: { shape: [1, 2] } },
    { note: 'zero size', inputs: [{ shape: [0, 1] }], attrs: { shape: [2, 0, 3] } },
    { note: 'to nothing', inputs: [{ shape: [1, 3] }], attrs: { shape: [0, 3] } },
    { note: 'size-1 axes stay', inputs: [{ shape: [1, 1] }], attrs: { shape: [1, 1, 1] } },
    { note: 'strided', inputs: [{ shape: [2, 1], layout: 'strided' }], attrs: { shape: [2, 3] } },
    { note: 'transposed', inputs: [{ shape: [2, 3], layout: 'transposed' }], attrs: { shape: [2, 2, 3] } },
    { ...FAR, attrs: { shape: [2, 2, 3] } },
  ],
  errors: [
    {
      note: 'shrinks',
      inputs: [{ shape: [2, 3] }],
      attrs: { shape: [3] },
      error: 'ShapeError',
      says: 'does not broadcast to [3]: x is float64[2,3]',
    },
    {
      note: 'grows what is not 1',
      inputs: [{ shape: [2, 3] }],
      attrs: { shape: [4, 3] },
      error: 'ShapeError',
      says: 'does not broadcast to [4,3]: x is float64[2,3]',
    },
    {
      note: 'a negative size',
      inputs: [{ shape: [1, 3] }],
      attrs: { shape: [-2, 3] },
      error: 'ShapeError',
      says: 'does not broadcast to [-2,3]: x is float64[1,3]',
    },
    {
      note: 'a size that is no integer',
      inputs: [{ shape: [1] }],
      attrs: { shape: [1.5] },
      error: 'ShapeError',
      says: 'does not broadcast to [1.5]: x is float64[1]',
    },
  ],
};

export const slice: CasesOf<typeof op.slice> = {
  torch: 'sliced(x, axis, start, length, step)',
  samples: [
    { note: 'front', inputs: [{ shape: [5, 3] }], attrs: { axis: 0, start: 0, length: 2, step: 1 } },
    {
      note: 'middle of the last axis',
      inputs: [{ shape: [2, 6] }],
      attrs: { axis: 1, start: 2, length: 3, step: 1 },
    },
    { note: 'backwards', inputs: [{ shape: [5] }], attrs: { axis: 0, start: 4, length: 3, step: -2 } },
    { note: 'empty', inputs: [{ shape: [5] }], attrs: { axis: 0, start: 5, length: 0, step: 1 } },
    { note: 'zero size', inputs: [{ shape: [0, 3] }], attrs: { axis: 1, start: 1, length: 2, step: 1 } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }], attrs: { axis: 1, start: 0, length: 1, step: 1 } },
    {
      note: 'every third, transposed',
      inputs: [{ shape: [7, 2], layout: 'transposed' }],
      attrs: { axis: 0, start: 0, length: 3, step: 3 },
    },
    {
      note: 'strided',
      inputs: [{ shape: [2, 5], layout: 'strided' }],
      attrs: { axis: 1, start: 1, length: 3, step: 1 },
    },
    { ...FAR, attrs: { axis: 1, start: 0, length: 2, step: 2 } },
  ],
  errors: [
    {
      note: 'past the end',
      inputs: [{ shape: [2, 3] }],
      attrs: { axis: 1, start: 1, length: 3, step: 1 },
      error: 'ShapeError',
      says: 'elements 1…3 by 1 are outside of 0…2 (axis 1): x is float64[2,3]',
    },
    {
      note: 'past the end in steps',
      inputs: [{ shape: [6] }],
      attrs: { axis: 0, start: 0, length: 3, step: 3 },
      error: 'ShapeError',
      says: 'elements 0…6 by 3 are outside of 0…5',
    },
    {
      note: 'starts at the end',
      inputs: [{ shape: [5] }],
      attrs: { axis: 0, start: 5, length: 2, step: -1 },
      error: 'ShapeError',
      says: 'elements 5…4 by -1 are outside of 0…4',
    },
    {
      note: 'back past the front',
      inputs: [{ shape: [5] }],
      attrs: { axis: 0, start: 1, length: 3, step: -1 },
      error: 'ShapeError',
      says: 'elements 1…-1 by -1 are outside of 0…4',
    },
    {
      note: 'nothing, before the front',
      inputs: [{ shape: [5] }],
      attrs: { axis: 0, start: -1, length: 0, step: 1 },
      error: 'ShapeError',
      says: 'elements -1…-1 by 1 are outside of 0…4',
    },
    {
      note: 'no step',
      inputs: [{ shape: [5] }],
      attrs: { axis: 0, start: 0, length: 2, step: 0 },
      error: 'ShapeError',
      says: 'elements 0…0 by 0 are outside of 0…4',
    },
    {
      note: 'half an element',
      inputs: [{ shape: [5] }],
      attrs: { axis: 0, start: 0.5, length: 1, step: 1 },
      error: 'ShapeError',
      says: 'elements 0.5…0.5 by 1 are outside of 0…4',
    },
  ],
};
