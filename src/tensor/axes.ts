/** Which axes, sizes and parts are meant by what people write: −1, a list, "all of them", equal parts. */
import { sizeOf } from '../kernels/index.ts';
import { ShapeError, type TensorType } from './errors.ts';
import { normalizeAxis } from './shape.ts';

/** One axis, or several; negative ones count from the end. */
export type Axes = number | readonly number[];

/** Axes to reduce over, from the front and in rising order; without a list all of them. @throws ShapeError where one is there twice */
export function normalizeAxes(op: string, x: TensorType, axis: Axes | undefined): readonly number[] {
  if (axis === undefined) return x.shape.map((_, a) => a);
  if (typeof axis === 'number') return [normalizeAxis(op, x, axis)];
  const axes = axis.map((a) => normalizeAxis(op, x, a)).sort((a, b) => a - b);
  const twice = axes.find((a, i) => a === axes[i - 1]);
  if (axes.length > 0 && twice === undefined) return axes;
  const rule =
    twice === undefined ? 'the list of axes is empty' : `axis ${twice} is there twice in [${axis.join(',')}]`;
  const hint = twice === undefined ? 'leave it out to reduce over all.' : undefined;
  throw new ShapeError({ op, argument: 'axis', got: { x }, rule, ...(hint && { hint }) });
}

/** The shape with one size of −1 filled in; what cannot be filled stays, for the op to refuse. */
export function filledShape(size: number, shape: readonly number[]): readonly number[] {
  const known = shape.reduce((n, one) => (one === -1 ? n : n * one), 1);
  const open = shape.filter((one) => one === -1).length;
  const left = size / known;
  return open === 1 && Number.isInteger(left) ? shape.map((n) => (n === -1 ? left : n)) : shape;
}

/** The shape to expand to, with the size of x where −1 stands. @throws ShapeError where −1 stands for a new axis */
export function expandedShape(x: TensorType, shape: readonly number[]): readonly number[] {
  const lead = shape.length - x.shape.length;
  const fresh = shape.slice(0, Math.max(lead, 0)).indexOf(-1);
  if (fresh >= 0) {
    const rule = `-1 keeps an axis, and axis ${fresh} of [${shape.join(',')}] is new`;
    const hint = 'give a new leading axis its size.';
    throw new ShapeError({ op: 'expand', argument: 'shape', got: { x }, rule, hint });
  }
  return shape.map((size, axis) => (size === -1 ? x.shape[axis - lead] : size));
}

/** The shape with a new axis of size 1. @throws ShapeError where it cannot stand there */
export function unsqueezedShape(x: TensorType, axis: number): readonly number[] {
  const places = x.shape.length + 1;
  if (!Number.isInteger(axis) || axis < -places || axis >= places) {
    const rule = `a new axis cannot stand at ${axis}`;
    const hint = `use ${-places}…${places - 1}.`;
    throw new ShapeError({ op: 'unsqueeze', argument: 'axis', got: { x }, rule, hint });
  }
  return x.shape.toSpliced(axis < 0 ? axis + places : axis, 0, 1);
}

/** The shape with axes `start` to `end` as one. @throws ShapeError where start is behind end */
export function flattenedShape(x: TensorType, start: number, end: number): readonly number[] {
  if (x.shape.length === 0) return [1];
  const from = normalizeAxis('flatten', x, start, 'start');
  const to = normalizeAxis('flatten', x, end, 'end');
  if (from > to) {
    const rule = `start ${start} is behind end ${end}`;
    throw new ShapeError({ op: 'flatten', argument: 'start', got: { x }, rule });
  }
  return x.shape.toSpliced(from, to + 1 - from, sizeOf(x.shape.slice(from, to + 1)));
}

/**
 * Lengths of the parts that an axis is split into: `sizes` elements each, the last one of what is left, or these sizes.
 * @throws ShapeError where one is no whole number, or they do not add up to the axis
 */
export function partLengths(
  x: TensorType,
  axis: number,
  sizes: number | readonly number[],
): readonly number[] {
  const size = x.shape[axis];
  const parts = typeof sizes === 'number' ? equalParts(size, sizes) : sizes;
  const total = parts.reduce((n, part) => n + part, 0);
  if (total === size && parts.every((part) => Number.isInteger(part) && part >= 0)) return parts;
  const rule = `parts of ${[sizes].flat().join(', ')} do not make ${size} elements`;
  throw new ShapeError({ op: 'split', argument: 'sizes', axis, got: { x }, rule });
}

/** Parts of `part` elements that make up `size`, the last one of what is left. */
function equalParts(size: number, part: number): number[] {
  if (!Number.isInteger(part) || part < 1) return size === 0 && part === 0 ? [0] : [part];
  const whole = new Array<number>(Math.max(1, Math.ceil(size / part))).fill(part);
  return whole.with(-1, size - part * (whole.length - 1));
}
