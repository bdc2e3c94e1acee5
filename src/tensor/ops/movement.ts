/**
 * Ops that only look at a buffer in another way; nothing is computed. Their gradients are the inverse look.
 *
 *   reshape   same elements, other shape (copies where the strides do not allow a view)
 *   permute   axes in another order
 *   expand    broadcast to a shape, stride 0; gradient: the tape sums the broadcast axes
 *   slice     elements start, start + step, … of one axis; gradient: zeros with dy written into the same slice
 */
import type { View } from '../../kernels/backend.ts';
import { denseView, sizeOf } from '../../kernels/views.ts';
import { ShapeError, typeOf } from '../errors.ts';
import { expandView, permuteView, reshapeView, sliceView } from '../layout.ts';
import type { Op } from '../op.ts';
import { broadcastShapes, sameShape } from '../shape.ts';

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

/** What only moves keeps its bits. */
const FAR = {
  note: 'far values',
  inputs: [{ shape: [2, 3], values: [-INFINITY, -0, 1e-40, 3e38, INFINITY, NAN] }],
  noDifferences: 'infinities',
} as const;

const reshaped = (k: { copy(x: View): View }, x: View, shape: readonly number[]): View =>
  reshapeView(x, shape) ?? denseView(k.copy(x).buffer, shape);

export const reshape: Op<{ readonly shape: readonly number[] }> = {
  name: 'reshape',
  inputs: ['x'],
  check([x], { shape }) {
    if (shape.every((n) => Number.isInteger(n) && n >= 0) && sizeOf(shape) === sizeOf(x.shape)) return;
    throw new ShapeError({
      op: 'reshape',
      argument: 'shape',
      got: { x: typeOf(x) },
      rule: `[${shape.join(',')}] does not hold ${sizeOf(x.shape)} elements`,
    });
  },
  forward: (k, [x], { shape }) => ({ out: reshaped(k, x, shape) }),
  backward: ({ k, inputs: [x], dy }) => [() => reshaped(k, dy, x.shape)],
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

export const permute: Op<{ readonly axes: readonly number[] }> = {
  name: 'permute',
  inputs: ['x'],
  check([x], { axes }) {
    const sorted = [...axes].sort((a, b) => a - b);
    if (sorted.length === x.shape.length && sorted.every((a, i) => a === i)) return;
    throw new ShapeError({
      op: 'permute',
      argument: 'axes',
      got: { x: typeOf(x) },
      rule: `[${axes.join(',')}] is not an order of the axes 0…${x.shape.length - 1}`,
    });
  },
  forward: (_k, [x], { axes }) => ({ out: permuteView(x, axes) }),
  backward: ({ attrs: { axes }, dy }) => [
    () =>
      permuteView(
        dy,
        axes.map((_, a) => axes.indexOf(a)),
      ),
  ],
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

export const expand: Op<{ readonly shape: readonly number[] }> = {
  name: 'expand',
  inputs: ['x'],
  check([x], { shape }) {
    const joint = broadcastShapes(x.shape, shape);
    if (joint !== null && sameShape(joint, shape)) return;
    throw new ShapeError({
      op: 'expand',
      argument: 'shape',
      got: { x: typeOf(x) },
      rule: `does not broadcast to [${shape.join(',')}]`,
      hint: 'only axes of size 1 and new leading axes can grow.',
    });
  },
  forward: (_k, [x], { shape }) => ({ out: expandView(x, shape) }),
  backward: ({ dy }) => [() => dy],
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
  ],
};

export interface SliceAttrs {
  readonly axis: number;
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

export const slice: Op<SliceAttrs> = {
  name: 'slice',
  inputs: ['x'],
  check([x], { axis, start, length, step }) {
    const size = x.shape[axis];
    const last = start + Math.max(length - 1, 0) * step;
    const whole = [axis, start, length, step].every(Number.isInteger) && length >= 0 && step !== 0;
    if (whole && start >= 0 && (length === 0 || (start < size && last >= 0 && last < size))) return;
    throw new ShapeError({
      op: 'slice',
      argument: 'x',
      axis,
      got: { x: typeOf(x) },
      rule: `elements ${start}…${last} by ${step} are outside of 0…${size - 1}`,
    });
  },
  forward: (_k, [x], { axis, start, length, step }) => ({ out: sliceView(x, axis, start, length, step) }),
  backward: ({ k, inputs: [x], attrs: { axis, start, length, step }, dy }) => [
    () => {
      const dx = k.fill(x.shape, 0, x.buffer.dtype);
      k.assign(sliceView(dx, axis, start, length, step), dy);
      return dx;
    },
  ],
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
