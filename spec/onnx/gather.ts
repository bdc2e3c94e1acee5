/**
 * ONNX's operators that choose by position over ours. Positions are worked out here, as the library's own modules do (an
 * embedding takes its ids as numbers), and the rows they name are gathered.
 * https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md
 */
import { sizeOf } from '../../src/kernels/views.ts';
import { concat, where } from '../../src/tensor/functions/index.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { fromEnd, type OnnxOp, upTo } from './call.ts';

/** Positions `at` of one axis, in that order. */
export function take(x: Tensor, axis: number, at: readonly number[]): Tensor {
  const index = Tensor.fromArray(at, [at.length], { dtype: 'int32' });
  const order = [axis, ...upTo(x.rank).filter((a) => a !== axis)];
  return x
    .permute(...order)
    .gatherRows(index)
    .permute(...upTo(x.rank).map((a) => order.indexOf(a)));
}

/** Elements by their place in row-major order. */
export function pick(x: Tensor, places: readonly number[]): Tensor {
  return take(x.reshape(x.size), 0, places);
}

const gather: OnnxOp = async (call) => {
  const x = call.input(0);
  const axis = call.axis(x, 0);
  const index = call.input(1);
  const at = (await call.required('indices', 1)).map((i) => fromEnd(i, x.shape[axis]));
  return take(x, axis, at).reshape(...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1));
};

/** Where element `flat` of a tensor of this shape is. */
function placeIn(shape: readonly number[], flat: number): number[] {
  const place: number[] = [];
  let rest = flat;
  for (const n of [...shape].reverse()) {
    place.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return place;
}

const flatIn = (shape: readonly number[], place: readonly number[]): number =>
  shape.reduce((flat, n, axis) => flat * n + place[axis], 0);

/** y[i, j] = x[index[i, j], j] for axis 0. */
const gatherElements: OnnxOp = async (call) => {
  const x = call.input(0);
  const axis = call.axis(x, 0);
  const { shape } = call.input(1);
  const index = await call.required('indices', 1);
  const places = index.map((i, flat) => {
    const place = placeIn(shape, flat);
    place[axis] = fromEnd(i, x.shape[axis]);
    return flatIn(x.shape, place);
  });
  return pick(x, places).reshape(...shape);
};

/** The last axis of the indices names rows of x; the first `batch_dims` axes are common to both. */
const gatherND: OnnxOp = async (call) => {
  const x = call.input(0);
  const { shape } = call.input(1);
  const index = await call.required('indices', 1);
  const batch = call.number('batch_dims', 0);
  const depth = shape[shape.length - 1];
  const named = x.shape.slice(0, batch + depth);
  const tuples = upTo(index.length / depth);
  const rows = tuples.map((t) => {
    const tuple = index.slice(t * depth, (t + 1) * depth).map((i, d) => fromEnd(i, x.shape[batch + d]));
    return flatIn(named, [...placeIn(shape.slice(0, -1), t).slice(0, batch), ...tuple]);
  });
  const rest = x.shape.slice(batch + depth);
  return take(x.reshape(sizeOf(named), sizeOf(rest)), 0, rows).reshape(...shape.slice(0, -1), ...rest);
};

/** The condition may be shorter than the axis. Without an axis, of x as one row. */
const compress: OnnxOp = async (call) => {
  const flat = !call.has('axis');
  const x = flat ? call.input(0).reshape(call.input(0).size) : call.input(0);
  const at = (await call.required('condition', 1)).flatMap((kept, i) => (kept === 0 ? [] : [i]));
  return take(x, flat ? 0 : call.axis(x, 0), at);
};

/** The first lengths[b] steps of each sample are turned round. */
const reverseSequence: OnnxOp = async (call) => {
  const x = call.input(0);
  const [time, batch] = [call.number('time_axis', 0), call.number('batch_axis', 1)];
  const lengths = await call.required('sequence_lens', 1);
  const samples = lengths.map((n, b) => {
    const order = upTo(x.shape[time]).map((t) => (t < n ? n - 1 - t : t));
    return take(x.slice(batch, b, b + 1), time, order);
  });
  return concat(samples, batch);
};

/** values = [off, on]; a negative index counts from the depth. */
const oneHot: OnnxOp = async (call) => {
  const index = call.input(0).to('int32');
  const [depth] = await call.required('depth', 1);
  const values = call.input(2);
  const asked = call.number('axis', -1);
  const axis = fromEnd(asked, index.rank + 1);
  const at = where(index.lt(0), index.add(depth), index).unsqueeze(axis);
  const places = upTo(index.rank + 1).map((a) => (a === axis ? depth : 1));
  const hit = at.eq(Tensor.arange(depth).reshape(...places));
  return where(hit, values.slice(0, 1).reshape(), values.slice(0, 0, 1).reshape());
};

export const gathers: Readonly<Record<string, OnnxOp>> = {
  Compress: compress,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  OneHot: oneHot,
  ReverseSequence: reverseSequence,
};
