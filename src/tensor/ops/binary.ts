/**
 * Elementwise functions of two broadcast tensors of one dtype.
 *
 *   add  a + b        ∂a = dy              ∂b = dy
 *   sub  a − b        ∂a = dy              ∂b = −dy
 *   mul  a · b        ∂a = dy·b            ∂b = dy·a
 *   div  a / b        ∂a = dy/b            ∂b = −dy·y/b
 *   pow  a^b          ∂a = dy·b·a^(b−1)    ∂b = dy·y·ln a   (a > 0 for ∂b)
 *   maximum           the larger input gets dy; at a tie each gets half, as in PyTorch
 */
import type { BinaryName, View } from '../../kernels/backend.ts';
import { expandView } from '../layout.ts';
import type { BackwardContext, ErrorCase, Gradients, Op, Sample } from '../op.ts';
import { broadcastOrThrow, requireDType, requireSameDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

function broadcastBoth(name: string, [a, b]: readonly View[]): [View, View] {
  const shape = broadcastOrThrow(name, a, b);
  return [expandView(a, shape), expandView(b, shape)];
}

function samplesIn(range: readonly [number, number]): Sample<NoAttrs>[] {
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
  ];
}

const errors: ErrorCase<NoAttrs>[] = [
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
];

function binaryOp(
  name: BinaryName,
  gradients: (ctx: BackwardContext<NoAttrs>, a: View, b: View) => Gradients,
  range: readonly [number, number] = [-2, 2],
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
    samples: samplesIn(range),
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
    const one = () => expandView(k.fill([], 1, b.buffer.dtype), b.shape);
    return [
      () => k.binary('mul', k.binary('mul', dy, b), k.binary('pow', a, k.binary('sub', b, one()))),
      () => k.binary('mul', k.binary('mul', dy, out), k.unary('log', a)),
    ];
  },
  [0.5, 2],
);

export const maximum = binaryOp('maximum', ({ k, dy }, a, b) => {
  // Half of dy where a ≥ b plus half where a > b: all above, half at a tie, nothing below.
  const share = (p: View, q: View) => {
    const half = k.binary('mul', dy, expandView(k.fill([], 0.5, dy.buffer.dtype), dy.shape));
    const zero = expandView(k.fill([], 0, dy.buffer.dtype), dy.shape);
    const above = k.where(k.compare('gt', p, q), half, zero);
    return k.binary('add', above, k.where(k.compare('ge', p, q), half, zero));
  };
  return [() => share(a, b), () => share(b, a)];
});
