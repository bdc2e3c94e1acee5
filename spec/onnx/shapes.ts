/**
 * ONNX's operators that cut, join and lay out over ours.
 * https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md
 */
import { sizeOf } from '../../src/kernels/views.ts';
import { concat, where } from '../../src/tensor/functions/index.ts';
import { broadcastShapes, normalizeAxis } from '../../src/tensor/shape.ts';
import { apply, Tensor } from '../../src/tensor/tensor.ts';
import { fromEnd, fromLiteral, type OnnxOp, scalar, upTo } from './call.ts';
import { take } from './gather.ts';

const reshape: OnnxOp = async (call) => {
  const x = call.input(0);
  const shape = await call.required('shape', 1);
  if (call.number('allowzero', 0) === 1) return x.reshape(...shape);
  return x.reshape(...shape.map((n, axis) => (n === 0 ? x.shape[axis] : n)));
};

const slice: OnnxOp = async (call) => {
  const x = call.input(0);
  const [starts, ends] = [await call.required('starts', 1), await call.required('ends', 2)];
  const axes = (await call.list('axes', 3)) ?? upTo(starts.length);
  const steps = (await call.numbers(4)) ?? [];
  return axes.reduce((y, asked, i) => {
    const axis = normalizeAxis('Slice', y, asked);
    const size = y.shape[axis];
    const step = steps[i] ?? 1;
    // Forwards from 0…size up to it; backwards from 0…size − 1 down to −1.
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamped = (at: number) => Math.min(Math.max(fromEnd(at, size), low), high);
    const [start, end] = [clamped(starts[i]), clamped(ends[i])];
    const length = Math.max(0, Math.ceil((end - start) / step));
    return apply('slice', [y], { axis, start: Math.max(start, 0), length, step });
  }, x);
};

const split: OnnxOp = async (call) => {
  const x = call.input(0);
  const axis = call.axis(x, 0);
  const parts = call.node.outputs.length;
  const sizes =
    (await call.list('split', 1)) ?? new Array<number>(parts).fill(Math.ceil(x.shape[axis] / parts));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((n, m) => n + m, 0));
  return sizes.map((length, i) => apply('slice', [x], { axis, start: starts[i], length, step: 1 }));
};

const squeeze: OnnxOp = async (call) => {
  const x = call.input(0);
  const asked = (await call.list('axes', 1)) ?? x.shape.flatMap((n, axis) => (n === 1 ? [axis] : []));
  const axes = asked.map((axis) => normalizeAxis('Squeeze', x, axis));
  return x.reshape(...x.shape.filter((_, axis) => !axes.includes(axis)));
};

/** Axes are those of the result. */
const unsqueeze: OnnxOp = async (call) => {
  const x = call.input(0);
  const asked = await call.required('axes', 1);
  const rank = x.rank + asked.length;
  const axes = asked.map((axis) => fromEnd(axis, rank)).sort((a, b) => a - b);
  return axes.reduce((y, axis) => y.unsqueeze(axis), x);
};

const flatten: OnnxOp = (call) => {
  const x = call.input(0);
  const asked = call.number('axis', 1);
  const rows = sizeOf(x.shape.slice(0, fromEnd(asked, x.rank)));
  return x.reshape(rows, x.size / rows);
};

/** Both sides broadcast: the shape asked for may be smaller than x. */
const expand: OnnxOp = async (call) => {
  const x = call.input(0);
  const shape = broadcastShapes(x.shape, await call.required('shape', 1));
  if (shape === null) throw new Error('Expand: the shapes do not broadcast');
  return x.expand(...shape);
};

/** [a, b] repeated [m, n] times is [1, a, 1, b] expanded to [m, a, n, b]. */
const tile: OnnxOp = async (call) => {
  const x = call.input(0);
  const repeats = await call.required('repeats', 1);
  return x
    .reshape(...x.shape.flatMap((n) => [1, n]))
    .expand(...x.shape.flatMap((n, axis) => [repeats[axis], n]))
    .reshape(...x.shape.map((n, axis) => n * repeats[axis]));
};

export type PadMode = 'constant' | 'edge' | 'reflect';

/** `before` and `after` elements of an axis more. */
export function padded(
  x: Tensor,
  axis: number,
  [before, after]: readonly [number, number],
  mode: PadMode,
  value: number,
): Tensor {
  const n = x.shape[axis];
  if (mode === 'constant') {
    const part = (size: number) =>
      Tensor.full(
        x.shape.map((m, a) => (a === axis ? size : m)),
        value,
        { dtype: x.dtype },
      );
    return concat([part(before), x, part(after)], axis);
  }
  const at = upTo(before + n + after).map((i) => i - before);
  const edge = (i: number) => Math.min(Math.max(i, 0), n - 1);
  const reflect = (i: number) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i);
  return take(x, axis, at.map(mode === 'edge' ? edge : reflect));
}

const pad: OnnxOp = async (call) => {
  const x = call.input(0);
  const pads = await call.required('pads', 1);
  const mode = call.text('mode', 'constant') as PadMode;
  const value = call.has('value') ? call.number('value', 0) : ((await call.numbers(2))?.[0] ?? 0);
  return upTo(x.rank).reduce((y, axis) => {
    const sides = [pads[axis], pads[axis + x.rank]] as const;
    return sides.some((n) => n !== 0) ? padded(y, axis, sides, mode, value) : y;
  }, x);
};

/** [N, C·b², H, W] → [N, C, H·b, W·b]; DCR: the b² blocks come first in the channels, CRD: the channels do. */
const depthToSpace: OnnxOp = (call) => {
  const x = call.input(0);
  const b = call.number('blocksize', 1);
  const [N, depth, H, W] = x.shape;
  const C = depth / (b * b);
  const blocks =
    call.text('mode', 'DCR') === 'DCR'
      ? x.reshape(N, b, b, C, H, W).permute(0, 3, 4, 1, 5, 2)
      : x.reshape(N, C, b, b, H, W).permute(0, 1, 4, 2, 5, 3);
  return blocks.reshape(N, C, H * b, W * b);
};

const spaceToDepth: OnnxOp = (call) => {
  const x = call.input(0);
  const b = call.number('blocksize', 1);
  const [N, C, H, W] = x.shape;
  return x
    .reshape(N, C, H / b, b, W / b, b)
    .permute(0, 3, 5, 1, 2, 4)
    .reshape(N, C * b * b, H / b, W / b);
};

/** Row i and column j differ by j − i; the upper part has at least k of it, the lower at most. */
const trilu: OnnxOp = async (call) => {
  const x = call.input(0);
  const [k] = (await call.numbers(1)) ?? [0];
  const [rows, columns] = x.shape.slice(-2);
  const over = Tensor.arange(columns).sub(Tensor.arange(rows).unsqueeze(1));
  return where(call.number('upper', 1) === 1 ? over.ge(k) : over.le(k), x, scalar(0, x));
};

const eyeLike: OnnxOp = (call) => {
  const x = call.input(0);
  const [rows, columns] = x.shape;
  const over = Tensor.arange(columns).sub(Tensor.arange(rows).unsqueeze(1));
  return over.eq(call.number('k', 0)).to(call.dtype('dtype') ?? x.dtype);
};

/** start, start + delta, … before limit. */
const range: OnnxOp = async (call) => {
  const [start, limit, delta] = await Promise.all([0, 1, 2].map((i) => call.required('bounds', i)));
  const length = Math.max(0, Math.ceil((limit[0] - start[0]) / delta[0]));
  const x = call.input(0);
  return Tensor.arange(length).to(x.dtype).mul(call.input(2)).add(x);
};

const constant: OnnxOp = (call) => {
  const value = call.literal('value');
  if (value !== null) return fromLiteral(value, call.scope.float);
  return Tensor.full([], call.number('value_int', 0), { dtype: 'int32' });
};

const constantOfShape: OnnxOp = async (call) => {
  const value = call.literal('value') ?? { dtype: 'F32', shape: [1], values: [0] };
  const one = fromLiteral(value, call.scope.float);
  return one.reshape().expand(...(await call.required('shape', 0)));
};

const shapeOf: OnnxOp = (call) => {
  const { shape } = call.input(0);
  const part = shape.slice(call.number('start', 0), call.has('end') ? call.number('end', 0) : undefined);
  return Tensor.fromArray(part, [part.length], { dtype: 'int32' });
};

export const shapes: Readonly<Record<string, OnnxOp>> = {
  Concat: (call) => concat(call.inputs, call.number('axis', 1)),
  Constant: constant,
  ConstantOfShape: constantOfShape,
  DepthToSpace: depthToSpace,
  Expand: expand,
  EyeLike: eyeLike,
  Flatten: flatten,
  Pad: pad,
  Range: range,
  Reshape: reshape,
  Shape: shapeOf,
  Size: (call) => Tensor.full([], call.input(0).size, { dtype: 'int32' }),
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: (call) => {
    const x = call.input(0);
    return x.permute(...call.integers('perm', upTo(x.rank).reverse()));
  },
  Trilu: trilu,
  Unsqueeze: unsqueeze,
};
