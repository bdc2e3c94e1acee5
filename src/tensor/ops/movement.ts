/**
 * Ops that only look at a buffer in another way; nothing is computed. Their gradients are the inverse look.
 *
 *   reshape   same elements, other shape (copies where the strides do not allow a view)
 *   permute   axes in another order
 *   expand    broadcast to a shape, stride 0; gradient: the tape sums the broadcast axes
 *   slice     elements start, start + step, … of one axis; gradient: zeros with dy written into the same slice
 */
import {
  denseView,
  expandView,
  permuteView,
  reshapeView,
  sizeOf,
  sliceView,
  type View,
} from '../../kernels/index.ts';
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { broadcastShapes, sameShape } from '../shape.ts';

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
};

export const permute: Op<{ readonly axes: readonly number[] }> = {
  name: 'permute',
  inputs: ['x'],
  check([x], { axes }) {
    if (axes.length === x.shape.length && x.shape.every((_, axis) => axes.includes(axis))) return;
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
};

export const expand: Op<{ readonly shape: readonly number[] }> = {
  name: 'expand',
  inputs: ['x'],
  check([x], { shape }) {
    const joint = broadcastShapes(x.shape, shape);
    const whole = shape.every((n) => Number.isInteger(n) && n >= 0);
    if (whole && joint !== null && sameShape(joint, shape)) return;
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
};
