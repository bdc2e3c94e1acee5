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
import { type BinaryName, expandView, type View } from '../../kernels/index.ts';
import type { BackwardContext, Gradients, Op } from '../op.ts';
import { broadcastOrThrow, requireDType, requireSameDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

function broadcastBoth(name: string, [a, b]: readonly View[]): [View, View] {
  const shape = broadcastOrThrow(name, a, b);
  return [expandView(a, shape), expandView(b, shape)];
}

function binaryOp(
  name: BinaryName,
  gradients: (ctx: BackwardContext<NoAttrs>, a: View, b: View) => Gradients,
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
  };
}

export const add = binaryOp('add', ({ dy }) => [() => dy, () => dy]);

export const sub = binaryOp('sub', ({ k, dy }) => [() => dy, () => k.unary('neg', dy)]);

export const mul = binaryOp('mul', ({ k, dy }, a, b) => [
  () => k.binary('mul', dy, b),
  () => k.binary('mul', dy, a),
]);

export const div = binaryOp('div', ({ k, dy, out }, _a, b) => [
  () => k.binary('div', dy, b),
  () => k.unary('neg', k.binary('div', k.binary('mul', dy, out), b)),
]);

export const pow = binaryOp('pow', ({ k, dy, out }, a, b) => {
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
});

export const maximum = binaryOp('maximum', ({ k, dy }, a, b) => {
  // All of dy above and beside a NaN, half of it at a tie, nothing below.
  const share = (p: View, q: View) => {
    const all = (value: number) => expandView(k.fill([], value, dy.buffer.dtype), dy.shape);
    const above = k.where(k.compare('eq', p, q), k.binary('mul', dy, all(0.5)), dy);
    return k.where(k.compare('lt', p, q), all(0), above);
  };
  return [() => share(a, b), () => share(b, a)];
});
