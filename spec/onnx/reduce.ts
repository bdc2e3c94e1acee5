/**
 * ONNX's operators that work along axes over ours: reductions, positions of the largest, softmax, normalisation.
 * https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md
 */
import { sizeOf } from '../../src/kernels/views.ts';
import { normalizeAxis } from '../../src/tensor/shape.ts';
import { apply, Tensor } from '../../src/tensor/tensor.ts';
import { type OnnxCall, type OnnxOp, scalar } from './call.ts';
import { negative } from './elementwise.ts';

const sum = (x: Tensor, axes: readonly number[]): Tensor => apply('sum', [x], { axes });
const mean = (x: Tensor, axes: readonly number[]): Tensor =>
  sum(x, axes).div(axes.reduce((n, axis) => n * x.shape[axis], 1));
const max = (x: Tensor, axes: readonly number[]): Tensor => axes.reduce((y, axis) => y.max(axis, true), x);
const product = (x: Tensor, axes: readonly number[]): Tensor =>
  axes.reduce((y, axis) => {
    const slices = Array.from({ length: y.shape[axis] }, (_, i) => y.slice(axis, i, i + 1));
    return slices.reduce((a, b) => a.mul(b));
  }, x);

/** ln Σ eˣ, its largest term taken out. */
function logSumExp(x: Tensor, axes: readonly number[]): Tensor {
  const largest = max(x, axes);
  return sum(x.sub(largest).exp(), axes).log().add(largest);
}

/** Over `axes` (all unless given), which stay with size 1 unless keepdims is 0. */
function reduction(over: (x: Tensor, axes: readonly number[]) => Tensor): OnnxOp {
  return async (call) => {
    const x = call.input(0);
    const given = (await call.list('axes', 1)) ?? [];
    if (given.length === 0 && call.number('noop_with_empty_axes', 0) === 1) return x;
    const asked = given.length === 0 ? x.shape.map((_, axis) => axis) : given;
    const axes = asked.map((axis) => normalizeAxis(call.node.op, x, axis)).sort((a, b) => a - b);
    const y = over(x, axes);
    return call.number('keepdims', 1) === 1
      ? y
      : y.reshape(...x.shape.filter((_, axis) => !axes.includes(axis)));
  };
}

/** Ours finds the first of equals; the last of them is the first of the reversed axis. */
function argmax(call: OnnxCall, x: Tensor): Tensor {
  const axis = call.axis(x, 0);
  const length = x.shape[axis];
  const last = call.number('select_last_index', 0) === 1;
  const read = last ? apply('slice', [x], { axis, start: length - 1, length, step: -1 }) : x;
  const at = last ? scalar(length - 1, read.argmax(axis)).sub(read.argmax(axis)) : read.argmax(axis);
  return call.number('keepdims', 1) === 1 ? at.unsqueeze(axis) : at;
}

/** A function of the last axis, of any other. */
const along = (x: Tensor, axis: number, f: (x: Tensor) => Tensor): Tensor =>
  f(x.transpose(axis, -1)).transpose(axis, -1);

/** (x − max) − ln Σ e^(x − max): in this order, so that nothing is lost where x is large. */
export function logSoftmax(x: Tensor, axis: number): Tensor {
  const off = x.sub(max(x, [axis]));
  return off.sub(sum(off.exp(), [axis]).log());
}

/** Before operator set 13, the axis (default 1) cut the tensor in two: rows are all axes from there on. */
function rowwise(f: (x: Tensor, axis: number) => Tensor): OnnxOp {
  return (call) => {
    const x = call.input(0);
    if (call.scope.opset >= 13) return f(x, call.axis(x, -1));
    const rows = sizeOf(x.shape.slice(0, call.axis(x, 1)));
    return f(x.reshape(rows, x.size / rows), 1).reshape(...x.shape);
  };
}

/** 1 at the first maximum, 0 elsewhere. */
function hardmax(x: Tensor, axis: number): Tensor {
  const at = x.argmax(axis).unsqueeze(axis);
  const places = x.shape.map((n, a) => (a === axis ? n : 1));
  return at.eq(Tensor.arange(x.shape[axis]).reshape(...places)).to(x.dtype);
}

/** Over all axes from `axis` on; weight and bias have their shape. Results: y, the mean, 1/√(variance + ε). */
function layerNormalization(call: OnnxCall): readonly Tensor[] {
  const x = call.input(0);
  const axis = call.axis(x, -1);
  const eps = call.number('epsilon', 1e-5);
  const width = sizeOf(x.shape.slice(axis));
  const rows = x.reshape(x.size / width, width);
  const bias = call.maybe(2) ?? Tensor.zeros([width], { dtype: x.dtype });
  const y = apply('layerNorm', [rows, call.input(1).reshape(width), bias.reshape(width)], { eps });
  const centre = rows.mean(1, true);
  const off = rows.sub(centre);
  const deviation = off.mul(off).mean(1, true).add(eps).sqrt();
  const each = x.shape.map((n, a) => (a < axis ? n : 1));
  return [
    y.reshape(...x.shape),
    centre.reshape(...each),
    scalar(1, x)
      .div(deviation)
      .reshape(...each),
  ];
}

/** [C] to stand at axis 1 of x. */
const perChannel = (v: Tensor, x: Tensor): Tensor =>
  v.reshape(v.size, ...new Array<number>(x.rank - 2).fill(1));

/** Over the places of each sample and channel: a layer norm whose rows are the channels. */
function instanceNormalization(call: OnnxCall): Tensor {
  const x = call.input(0);
  const [N, C, ...places] = x.shape;
  const width = sizeOf(places);
  const [one, zero] = [1, 0].map((value) => Tensor.full([width], value, { dtype: x.dtype }));
  const eps = call.number('epsilon', 1e-5);
  const normal = apply('layerNorm', [x.reshape(N * C, width), one, zero], { eps }).reshape(...x.shape);
  return normal.mul(perChannel(call.input(1), x)).add(perChannel(call.input(2), x));
}

/** Over samples and places, by given statistics or, in training, by those of the batch, which run on. */
function batchNormalization(call: OnnxCall): readonly Tensor[] {
  const [x, weight, bias, runningMean, runningVariance] = call.inputs;
  const training = call.number('training_mode', 0) === 1;
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const off = x.sub(mean(x, axes));
  const centre = training ? mean(x, axes).reshape(-1) : runningMean;
  const variance = training ? mean(off.mul(off), axes).reshape(-1) : runningVariance;
  const deviation = variance.add(call.number('epsilon', 1e-5)).sqrt();
  const normal = x.sub(perChannel(centre, x)).div(perChannel(deviation, x));
  const y = normal.mul(perChannel(weight, x)).add(perChannel(bias, x));
  if (!training) return [y];
  const momentum = call.number('momentum', 0.9);
  const runOn = (before: Tensor, now: Tensor) => before.mul(momentum).add(now.mul(1 - momentum));
  return [y, runOn(runningMean, centre), runOn(runningVariance, variance)];
}

function meanVarianceNormalization(call: OnnxCall): Tensor {
  const x = call.input(0);
  const axes = call.integers('axes', [0, 2, 3]);
  const off = x.sub(mean(x, axes));
  return off.div(mean(off.mul(off), axes).sqrt().add(1e-9));
}

/** Over all places of each channel. */
const overPlaces =
  (f: (x: Tensor, axes: readonly number[]) => Tensor): OnnxOp =>
  (call) =>
    f(
      call.input(0),
      call.input(0).shape.flatMap((_, axis) => (axis < 2 ? [] : [axis])),
    );

const square = (x: Tensor): Tensor => x.mul(x);

export const reductions: Readonly<Record<string, OnnxOp>> = {
  ReduceL1: reduction((x, axes) => sum(x.abs(), axes)),
  ReduceL2: reduction((x, axes) => sum(square(x), axes).sqrt()),
  ReduceLogSum: reduction((x, axes) => sum(x, axes).log()),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: reduction(max),
  ReduceMean: reduction(mean),
  ReduceMin: reduction((x, axes) => negative(max(negative(x), axes))),
  ReduceProd: reduction(product),
  ReduceSum: reduction(sum),
  ReduceSumSquare: reduction((x, axes) => sum(square(x), axes)),
  ArgMax: (call) => argmax(call, call.input(0)),
  ArgMin: (call) => argmax(call, negative(call.input(0))),

  Softmax: rowwise((x, axis) => along(x, axis, (rows) => rows.softmax())),
  LogSoftmax: rowwise(logSoftmax),
  Hardmax: rowwise(hardmax),

  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  BatchNormalization: batchNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  GlobalAveragePool: overPlaces(mean),
  GlobalMaxPool: overPlaces(max),
};
