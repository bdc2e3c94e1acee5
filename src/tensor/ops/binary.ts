/**
 * Elementwise functions of two broadcast tensors of one dtype.
 *
 *   add  a + b        ∂a = dy              ∂b = dy
 *   sub  a − b        ∂a = dy              ∂b = −dy
 *   mul  a · b        ∂a = dy·b            ∂b = dy·a
 *   div  a / b        ∂a = dy/b            ∂b = −dy·y/b
 *   pow  a^b          ∂a = dy·b·a^(b−1)    ∂b = dy·y·ln a
 *                     as in PyTorch ∂a = 0 where b = 0, and ∂b = 0 where a = 0 ≤ b, also where the factors are infinite
 *   maximum           the larger input gets dy; at a tie each gets half, as in PyTorch
 */
import type { BinaryName, View } from '../../kernels/backend.ts';
import { expandView } from '../layout.ts';
import type { BackwardContext, ErrorCase, Gradients, Op, Sample, SampleInput, Some } from '../op.ts';
import { broadcastOrThrow, requireDType, requireSameDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

function broadcastBoth(name: string, [a, b]: readonly View[]): [View, View] {
  const shape = broadcastOrThrow(name, a, b);
  return [expandView(a, shape), expandView(b, shape)];
}

const INFINITY = Number.POSITIVE_INFINITY;

/**
 * Every pair of these meets, each alone: in a sum one NaN would hide all others. In float32 an exponent of 1e15 is as large as
 * the one below it, odd or even, so that b goes to 1e6 only.
 */
const FAR_A = [-INFINITY, -1e15, -1, -0, 0, 0.5, 2, 1e15, INFINITY, Number.NaN];
const FAR_B = [-INFINITY, -1e6, -1, -0, 0, 0.5, 2, 1e6, INFINITY, Number.NaN];
const PAIRS: readonly SampleInput[] = [
  { shape: [10, 10], values: FAR_A.flatMap((a) => FAR_B.map(() => a)) },
  { shape: [10, 10], values: FAR_A.flatMap(() => FAR_B) },
];

function samplesIn(
  range: readonly [number, number],
  more: readonly Sample<NoAttrs>[],
): Some<Sample<NoAttrs>> {
  const inputs = (a: readonly number[], b: readonly number[]) => [
    { shape: a, range },
    { shape: b, range },
  ];
  return [
    { note: 'plain', inputs: inputs([3, 4], [3, 4]), attrs: {} },
    { note: 'scalars', inputs: inputs([], []), attrs: {} },
    { note: 'row broadcast', inputs: inputs([2, 3, 4], [4]), attrs: {} },
    { note: 'both broadcast', inputs: inputs([3, 1], [1, 5]), attrs: {} },
    { note: 'zero size', inputs: inputs([0, 3], [3]), attrs: {} },
    { note: 'size-1 axes', inputs: inputs([1, 1], [1]), attrs: {} },
    {
      note: 'transposed a, strided b',
      inputs: [
        { shape: [3, 4], range, layout: 'transposed' },
        { shape: [4], range, layout: 'strided' },
      ],
      attrs: {},
    },
    {
      note: 'x∘x',
      inputs: [
        { shape: [5], range },
        { shape: [5], range, layout: 'same' },
      ],
      attrs: {},
    },
    {
      note: 'far values',
      inputs: PAIRS,
      attrs: {},
      noDifferences: 'infinities, and numbers that a step does not change',
    },
    {
      note: 'integers',
      inputs: [
        { shape: [5], dtype: 'int32', values: [7, -7, 0, 3, -2] },
        { shape: [5], dtype: 'int32', values: [2, 2, 5, 3, 1] },
      ],
      attrs: {},
    },
    ...more,
  ];
}

const errors: Some<ErrorCase<NoAttrs>> = [
  {
    note: 'no broadcast',
    inputs: [{ shape: [2, 3] }, { shape: [4] }],
    attrs: {},
    error: 'ShapeError',
    says: 'shapes do not broadcast (axis -1): a is float64[2,3], b is float64[4]',
  },
  {
    note: 'mixed dtypes',
    inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32' }],
    attrs: {},
    error: 'DTypeError',
    says: "nothing is converted silently; cast with .to('float64')",
  },
  {
    note: 'bools',
    inputs: [
      { shape: [2], dtype: 'bool', values: [0, 1] },
      { shape: [2], dtype: 'bool', values: [1, 1] },
    ],
    attrs: {},
    error: 'DTypeError',
    says: 'a: needs float32 or float64 or int32: a is bool[2]',
  },
];

function binaryOp(
  name: BinaryName,
  gradients: (ctx: BackwardContext<NoAttrs>, a: View, b: View) => Gradients,
  range: readonly [number, number] = [-2, 2],
  more: readonly Sample<NoAttrs>[] = [],
): Op<NoAttrs> {
  return {
    name,
    inputs: ['a', 'b'],
    check([a, b]) {
      requireSameDType(name, { a, b });
      requireDType(name, 'a', a, ['float32', 'float64', 'int32']);
      broadcastOrThrow(name, a, b);
    },
    forward(k, inputs) {
      return { out: k.binary(name, ...broadcastBoth(name, inputs)) };
    },
    backward(ctx) {
      return gradients(ctx, ...broadcastBoth(name, ctx.inputs));
    },
    samples: samplesIn(range, more),
    errors,
  };
}

export const add = binaryOp('add', ({ dy }) => [() => dy, () => dy]);

export const sub = binaryOp('sub', ({ k, dy }) => [() => dy, () => k.unary('neg', dy)]);

export const mul = binaryOp('mul', ({ k, dy }, a, b) => [
  () => k.binary('mul', dy, b),
  () => k.binary('mul', dy, a),
]);

export const div = binaryOp(
  'div',
  ({ k, dy, out }, _a, b) => [
    () => k.binary('div', dy, b),
    () => k.unary('neg', k.binary('div', k.binary('mul', dy, out), b)),
  ],
  [0.5, 2],
);

export const pow = binaryOp(
  'pow',
  ({ k, dy, out }, a, b) => {
    const all = (value: number) => expandView(k.fill([], value, b.buffer.dtype), b.shape);
    const zero = all(0);
    return [
      () => {
        const slope = k.binary('mul', b, k.binary('pow', a, k.binary('sub', b, all(1))));
        return k.where(k.compare('eq', b, zero), zero, k.binary('mul', dy, slope));
      },
      () => {
        const slope = k.binary('mul', dy, k.binary('mul', out, k.unary('log', a)));
        const atZero = k.where(k.compare('ge', b, zero), zero, slope);
        return k.where(k.compare('eq', a, zero), atZero, slope);
      },
    ];
  },
  [0.5, 2],
);

export const maximum = binaryOp(
  'maximum',
  ({ k, dy }, a, b) => {
    // All of dy above and beside a NaN, half of it at a tie, nothing below.
    const share = (p: View, q: View) => {
      const all = (value: number) => expandView(k.fill([], value, dy.buffer.dtype), dy.shape);
      const above = k.where(k.compare('eq', p, q), k.binary('mul', dy, all(0.5)), dy);
      return k.where(k.compare('lt', p, q), all(0), above);
    };
    return [() => share(a, b), () => share(b, a)];
  },
  [-2, 2],
  [
    {
      note: 'ties',
      inputs: [
        { shape: [4], values: [1, -2, 0, 3] },
        { shape: [4], values: [1, -2, 0, 2] },
      ],
      attrs: {},
      noDifferences: 'a kink, where PyTorch gives each side half',
    },
  ],
);
