/** Elements by their place along an axis. */
import { ShapeError } from '../errors.ts';
import { broadcastShapes, normalizeAxis, requireDType } from '../shape.ts';
import { Tensor, type TensorOptions } from '../tensor.ts';
import { where } from './choosing.ts';
import { concat } from './joining.ts';

/** Rows by an index whose numbers are those of one axis. @throws RangeError naming the first that is none */
function rowsAt(op: string, index: Tensor, size: number, gather: () => Tensor): Tensor {
  try {
    return gather();
  } catch (error) {
    // A backend that has refused an index already has read it.
    const at = index.data.findIndex((i) => i < 0 || i >= size);
    if (at < 0) throw error;
    throw new RangeError(
      `${op}: index: element ${at} is ${index.data[at]}, expected one of the ${size} places 0…${size - 1}`,
      { cause: error },
    );
  }
}

/**
 * y_…i… = x_…index(…i…)… along one axis, as numpy.take_along_axis and torch.gather: the other axes of x and of the index
 * (int32) have one size, or one of them is 1. Elements that are taken several times add up their gradients.
 * @throws RangeError where an index is none of the axis' (on a device that answers later, when the result is read)
 */
export function takeAlongAxis(x: Tensor, index: Tensor, axis: number): Tensor {
  const op = 'takeAlongAxis';
  const a = normalizeAxis(op, x, axis);
  requireDType(op, 'index', index.view, ['int32']);
  const rest = (shape: readonly number[]) => shape.with(a, 1);
  const shape = x.rank === index.rank ? broadcastShapes(rest(x.shape), rest(index.shape)) : null;
  if (shape === null) {
    const rule = 'needs the shape of x beside the axis, or 1 there';
    throw new ShapeError({ op, argument: 'index', axis: a, got: { x, index }, rule });
  }
  const [size, count] = [x.shape[a], index.shape[a]];
  // Axis first: place i of line l is element i·L + l, which is one of x exactly where i is one of the axis.
  const first = [a, ...shape.flatMap((_, b) => (b === a ? [] : [b]))];
  const back = shape.map((_, b) => first.indexOf(b));
  const L = shape.reduce((n, m) => n * m, 1);
  const lines = (t: Tensor, n: number) =>
    t
      .expand(...shape.with(a, n))
      .permute(...first)
      .reshape(n, L);
  const places = lines(index, count).mul(L).add(Tensor.arange(L));
  return rowsAt(op, index, size, () =>
    lines(x, size)
      .reshape(size * L)
      .gatherRows(places.reshape(count * L)),
  )
    .reshape(count, ...first.slice(1).map((b) => shape[b]))
    .permute(...back);
}

/** Along which axis, and whether the largest or the smallest. */
export interface TopkOptions {
  /** Default the last. */
  readonly axis?: number;
  /** Default true; false finds the smallest. */
  readonly largest?: boolean;
}

/**
 * The k largest elements of an axis, largest first, and where they are (int32); of equal ones the first. NaN counts as +∞.
 * In k passes over the axis, for the small k of sampling and scoring. Gradients go to the elements that were found.
 */
export function topk(
  x: Tensor,
  k: number,
  { axis = -1, largest = true }: TopkOptions = {},
): { readonly values: Tensor; readonly indices: Tensor } {
  const a = normalizeAxis('topk', x, axis);
  requireDType('topk', 'x', x.view);
  const size = x.shape[a];
  if (!Number.isInteger(k) || k < 0 || k > size) {
    const rule = `${k} is not a number of elements from 0 to ${size}`;
    throw new ShapeError({ op: 'topk', argument: 'k', axis: a, got: { x }, rule });
  }
  const full = (value: number) => Tensor.full([], value, { dtype: x.dtype });
  const fixed = x.detach();
  const ordered = largest ? fixed : fixed.neg();
  const keys = where(ordered.ne(ordered), full(Number.POSITIVE_INFINITY), ordered);
  const place = Tensor.arange(size).reshape(...x.shape.map((_, b) => (b === a ? size : 1)));
  let free = keys.eq(keys);
  const found: Tensor[] = [];
  while (found.length < k) {
    const best = where(free, keys, full(Number.NEGATIVE_INFINITY)).max(a, true);
    // −∞ may be the best that is free, so that what was found already must not count.
    const hits = where(free, keys.eq(best), Tensor.zeros([], { dtype: 'bool' }));
    const at = hits.argmax(a).unsqueeze(a);
    free = where(place.eq(at), Tensor.zeros([], { dtype: 'bool' }), free);
    found.push(at);
  }
  const none = x.shape.with(a, 0);
  const indices = k === 0 ? Tensor.zeros(none, { dtype: 'int32' }) : concat(found, a);
  return { values: takeAlongAxis(x, indices, a), indices };
}

/**
 * 1 at the place that each index (int32) names along a new last axis of `classes` elements, else 0.
 * @throws RangeError where an index is no class (not on a device that answers later, where its row is 0)
 */
export function oneHot(
  index: Tensor,
  classes: number,
  { dtype = 'float32' }: Pick<TensorOptions, 'dtype'> = {},
): Tensor {
  requireDType('oneHot', 'index', index.view, ['int32']);
  if (!Number.isInteger(classes) || classes < 1) {
    const rule = `needs a whole number of classes, at least 1, not ${classes}`;
    throw new ShapeError({ op: 'oneHot', argument: 'classes', got: { index }, rule });
  }
  const names = Tensor.arange(classes);
  rowsAt('oneHot', index, classes, () => names.gatherRows(index.reshape(index.size)));
  return index.unsqueeze(-1).eq(names).to(dtype);
}
