/**
 * ONNX's operators that multiply and slide windows over ours, and its losses.
 *
 * A window is gathered: along each axis of places, the positions of all windows one after the other give a picture whose
 * tiles are the windows. Where they are square that is what `PatchConv` takes; else each tile is a row of a product.
 * https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md
 */

import { sizeOf } from '../../src/kernels/views.ts';
import { IGNORE_INDEX } from '../../src/nn/loss.ts';
import { PatchConv } from '../../src/nn/patchConv.ts';
import { concat } from '../../src/tensor/functions/index.ts';
import { apply, Tensor } from '../../src/tensor/tensor.ts';
import { type OnnxCall, type OnnxOp, type Results, upTo } from './call.ts';
import { pick, take } from './gather.ts';
import { logSoftmax } from './reduce.ts';
import { padded } from './shapes.ts';

/** αA·B + βC, A and B perhaps transposed. */
function gemm(call: OnnxCall): Tensor {
  const [a, b] = [0, 1].map((i) => {
    const x = call.input(i);
    return call.number(i === 0 ? 'transA' : 'transB', 0) === 1 ? x.transpose() : x;
  });
  const product = a.matmul(b).mul(call.number('alpha', 1));
  const c = call.maybe(2);
  return c === null ? product : product.add(c.mul(call.number('beta', 1)));
}

// ---- windows ----------------------------------------------------------------------------------------------------

interface Windows {
  /** x with each axis of places as long as all its windows together: [N, C, h·k, w·l, …] */
  readonly tiled: Tensor;
  /** Sizes of the windows: k, l, … */
  readonly kernel: readonly number[];
  /** How many there are along each axis: h, w, … */
  readonly count: readonly number[];
}

/** Elements to put before and after an axis so that ⌈size/stride⌉ windows fit. */
function samePads(size: number, span: number, stride: number, lower: boolean): readonly [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size);
  const small = Math.floor(total / 2);
  return lower ? [total - small, small] : [small, total - small];
}

function windows(call: OnnxCall, x: Tensor, kernel: readonly number[], value: number): Windows {
  const axes = kernel.length;
  const ones = new Array<number>(axes).fill(1);
  const [strides, dilations] = [call.integers('strides', ones), call.integers('dilations', ones)];
  const pads = call.integers('pads', new Array<number>(2 * axes).fill(0));
  const auto = call.text('auto_pad', 'NOTSET');
  const ceil = call.number('ceil_mode', 0) === 1;
  const count: number[] = [];
  const tiled = kernel.reduce((y, k, i) => {
    const axis = 2 + i;
    const [size, stride] = [x.shape[axis], strides[i]];
    const span = (k - 1) * dilations[i] + 1;
    const same = auto.startsWith('SAME');
    const [before, after] = same
      ? samePads(size, span, stride, auto === 'SAME_LOWER')
      : [pads[i], pads[i + axes]];
    const steps = (size + before + after - span) / stride;
    const n = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    count.push(n);
    const missing = Math.max(0, (n - 1) * stride + span - (size + before + after));
    const at = upTo(n).flatMap((w) => upTo(k).map((j) => w * stride + j * dilations[i]));
    return take(padded(y, axis, [before, after + missing], 'constant', value), axis, at);
  }, x);
  return { tiled, kernel, count };
}

/** [N, C, h·k, w·l, …] → [N, C, h, w, …, k·l·…]: the elements of each window last. */
function windowsLast({ tiled, kernel, count }: Windows): Tensor {
  const [N, C] = tiled.shape;
  const places = upTo(kernel.length).map((i) => 2 + 2 * i);
  return tiled
    .reshape(N, C, ...kernel.flatMap((k, i) => [count[i], k]))
    .permute(0, 1, ...places, ...places.map((axis) => axis + 1))
    .reshape(N, C, ...count, sizeOf(kernel));
}

/** Tiles of a square window are PatchConv's; of any other shape, rows [N, places, C·window] of a product. */
function convolved(found: Windows, weight: Tensor, bias: Tensor): Tensor {
  const { tiled, kernel, count } = found;
  const [O, C] = weight.shape;
  const [N] = tiled.shape;
  if (kernel.length === 2 && kernel[0] === kernel[1]) {
    const conv = new PatchConv({ inChannels: C, outChannels: O, size: kernel[0], dtype: tiled.dtype });
    conv.weight.assign(weight);
    conv.bias.assign(bias);
    const y = conv.call(tiled);
    conv.weight.dispose(); // parameters outlive scopes
    conv.bias.dispose();
    return y;
  }
  const rows = windowsLast(found)
    .reshape(N, C, sizeOf(count), sizeOf(kernel))
    .permute(0, 2, 1, 3)
    .reshape(N, sizeOf(count), C * sizeOf(kernel));
  const y = rows.matmul(weight.reshape(O, C * sizeOf(kernel)).transpose()).add(bias); // [N, places, O]
  return y.transpose().reshape(N, O, ...count);
}

function conv(call: OnnxCall): Tensor {
  const [x, weight] = [call.input(0), call.input(1)];
  const [O, C, ...kernel] = weight.shape;
  const bias = call.maybe(2) ?? Tensor.zeros([O], { dtype: x.dtype });
  const found = windows(call, x, kernel, 0);
  const groups = upTo(call.number('group', 1));
  const part = O / groups.length;
  return concat(
    groups.map((g) =>
      convolved(
        { ...found, tiled: found.tiled.slice(1, g * C, (g + 1) * C) },
        weight.slice(0, g * part, (g + 1) * part),
        bias.slice(0, g * part, (g + 1) * part),
      ),
    ),
    1,
  );
}

/** What pads count for nothing in the largest of a window: less than any number of the cases. */
const LOWEST = -1e30;

function maxPool(call: OnnxCall): Tensor {
  return windowsLast(windows(call, call.input(0), call.integers('kernel_shape', []), LOWEST)).max(-1);
}

/** The sum of each window over the number of its elements that are x's own, or pads too. */
function averagePool(call: OnnxCall): Tensor {
  const x = call.input(0);
  const kernel = call.integers('kernel_shape', []);
  const sums = (of: Tensor) => windowsLast(windows(call, of, kernel, 0)).sum(-1);
  if (call.number('count_include_pad', 0) === 1) return sums(x).div(sizeOf(kernel));
  return sums(x).div(sums(Tensor.ones(x.shape, { dtype: x.dtype })));
}

// ---- losses -----------------------------------------------------------------------------------------------------

/** [N, C, d…] → [N·d…, C] */
function classRows(x: Tensor): Tensor {
  const C = x.shape[1];
  return x.permute(0, ...upTo(x.rank).slice(2), 1).reshape(x.size / C, C);
}

/** Losses of all places, weighted by their class, ignored ones 0; then one by one, summed, or the weighted mean. */
async function reduced(call: OnnxCall, losses: Tensor, labels: readonly number[]): Promise<Tensor> {
  const ignore = call.has('ignore_index') ? call.number('ignore_index', 0) : null;
  const counts = labels.map((label) => (label === ignore ? 0 : 1));
  const mask = Tensor.fromArray(counts, [labels.length], { dtype: losses.dtype });
  const classes = call.maybe(2);
  const known = labels.map((label, i) => (counts[i] === 0 ? 0 : label));
  const weights = classes === null ? mask : take(classes, 0, known).mul(mask);
  const weighted = losses.mul(weights);
  const reduction = call.text('reduction', 'mean');
  if (reduction === 'none') return weighted.reshape(...call.input(1).shape);
  return reduction === 'sum' ? weighted.sum() : weighted.sum().div(weights.sum());
}

/** −ln p of the label's class, where ln p is given. */
async function negativeLogLikelihood(call: OnnxCall): Promise<Tensor> {
  const rows = classRows(call.input(0));
  const labels = (await call.numbers(1)) ?? [];
  const C = rows.shape[1];
  const ignore = call.number('ignore_index', -1);
  const places = labels.map((label, row) => row * C + (label === ignore ? 0 : label));
  return reduced(call, pick(rows, places).neg(), labels);
}

/** Our cross entropy of each place; and ln p of all classes where it is asked for. */
async function softmaxCrossEntropy(call: OnnxCall): Promise<Results> {
  const x = call.input(0);
  const labels = (await call.numbers(1)) ?? [];
  const targets = Tensor.fromArray(labels, [labels.length], { dtype: 'int32' });
  const ignoreIndex = call.number('ignore_index', IGNORE_INDEX);
  const losses = apply('crossEntropy', [classRows(x), targets], { ignoreIndex });
  const loss = await reduced(call, losses, labels);
  return call.node.outputs.length > 1 ? [loss, logSoftmax(x, 1)] : loss;
}

/** dy/dx of values of the graph by the tape. */
function gradient(call: OnnxCall): readonly Tensor[] {
  const y = call.value(call.text('y', ''));
  y.backward(Tensor.ones(y.shape, { dtype: y.dtype }));
  const names = call.node.attributes['xs'] as readonly string[];
  return names.map(
    (name) => call.value(name).grad ?? Tensor.zeros(call.value(name).shape, { dtype: y.dtype }),
  );
}

export const products: Readonly<Record<string, OnnxOp>> = {
  Gemm: gemm,
  MatMul: (call) => call.input(0).matmul(call.input(1)),
  Conv: conv,
  AveragePool: averagePool,
  MaxPool: maxPool,
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
  Gradient: gradient,
};
