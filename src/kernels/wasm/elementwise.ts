/** Functions of each element, and the update of AdamW. */
import type { Backend, BinaryName, UnaryName, View } from '../backend.ts';
import { isDense, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';
import type { Call } from './pool.ts';
import type { KernelName } from './signatures.ts';
import { collapse } from './strided.ts';

type ElementwiseKernels = Pick<
  Backend,
  'unary' | 'unaryBackward' | 'binary' | 'where' | 'swiglu' | 'swigluBackward' | 'adamw'
>;

/** Numbers of the functions in assembly/elementwise.ts. */
const UNARY: { readonly [name in UnaryName]: number } = {
  neg: 0,
  exp: 1,
  sqrt: 2,
  abs: 3,
  erf: 4,
  sigmoid: 5,
  relu: 6,
  silu: 7,
  gelu: 8,
  tanh: 9,
  log: 10,
  sin: 11,
  cos: 12,
};
/** Likewise of the slopes. */
const SLOPE: { readonly [name in UnaryName]: number } = {
  neg: 0,
  exp: 1,
  sqrt: 2,
  log: 3,
  erf: 4,
  sigmoid: 5,
  relu: 6,
  silu: 7,
  gelu: 8,
  tanh: 9,
  sin: 10,
  cos: 11,
  abs: 12,
};
const BINARY: { readonly [name in BinaryName]: number } = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  pow: 5,
};

export function elementwiseKernels(parts: Parts): ElementwiseKernels {
  const { heap, pool, host, copy } = parts;

  /** In parts of whole vectors. */
  const split = (kernel: KernelName, n: number, call: (from: number, count: number) => Call) =>
    pool.split(kernel, n, 1, call, 4);

  function binary(name: BinaryName, a: View, b: View): View {
    const f = BINARY[name];
    if (!isFloat32(a)) return host.binary(name, a, b);
    if (sizeOf(a.shape) === 0) return result(parts, a.shape);
    const { shape, strides } = collapse(a.shape, [a.strides, b.strides]);
    const last = shape.length - 1;
    // The kernel takes up to four axes whose last is dense in both, or dense in one and a single number in the other.
    for (const [which, step] of [
      [0, strides[0][last]],
      [1, strides[1][last]],
    ]) {
      const single = step === 0 && !(which === 1 && strides[0][last] === 0);
      if ((step === 1 || single) && (shape.length <= 4 || isDense(which === 0 ? a : b))) continue;
      const dense = copy(which === 0 ? a : b);
      const out = which === 0 ? binary(name, dense, b) : binary(name, a, dense);
      heap.release(dense.buffer);
      return out;
    }
    while (shape.length < 4) {
      shape.unshift(1);
      for (const list of strides) list.unshift(0);
    }
    const out = result(parts, a.shape);
    const [aStep, bStep] = strides.map((steps) => steps.map((step) => step * 4));
    const [aAt, bAt, to] = [heap.addressOf(a), heap.addressOf(b), heap.addressOf(out)];
    // The outermost axis longer than 1 is the one to divide; of a vector, by whole registers.
    const axis = shape.findIndex((n) => n > 1);
    const n = axis < 0 ? 1 : shape[axis];
    const weight = sizeOf(shape) / n;
    const each = Math.max(axis, 0);
    pool.split(
      'binary',
      n,
      weight,
      (from, count) => [
        f,
        ...shape.with(each, count),
        aAt + from * aStep[each],
        ...aStep,
        bAt + from * bStep[each],
        ...bStep,
        to + 4 * from * weight,
      ],
      each === 3 ? 4 : 1,
    );
    return out;
  }

  return {
    binary,

    unary(name, x) {
      const f = UNARY[name];
      if (!isFloat32(x)) return host.unary(name, x);
      const y = result(parts, x.shape);
      withDense(parts, [x], ([from]) => {
        const to = heap.addressOf(y);
        split('unary', y.buffer.length, (i, count) => [f, count, from + 4 * i, to + 4 * i]);
      });
      return y;
    },

    unaryBackward(name, x, y, dy) {
      const f = SLOPE[name];
      if (!isFloat32(x)) return host.unaryBackward(name, x, y, dy);
      const dx = result(parts, x.shape);
      withDense(parts, [x, y, dy], (addresses) => {
        const all = [...addresses, heap.addressOf(dx)];
        split('unaryBackward', dx.buffer.length, (i, count) => [f, count, ...all.map((at) => at + 4 * i)]);
      });
      return dx;
    },

    where(condition, a, b) {
      if (!isFloat32(a)) return host.where(condition, a, b);
      const out = result(parts, a.shape);
      withDense(parts, [condition, a, b], ([c, x, y]) => {
        const all = [x, y, heap.addressOf(out)];
        split('where', out.buffer.length, (i, count) => [count, c + i, ...all.map((at) => at + 4 * i)]);
      });
      return out;
    },

    swiglu(gate, up) {
      if (!isFloat32(gate)) return host.swiglu(gate, up);
      const y = result(parts, gate.shape);
      withDense(parts, [gate, up], (addresses) => {
        const all = [...addresses, heap.addressOf(y)];
        split('swiglu', y.buffer.length, (i, count) => [count, ...all.map((at) => at + 4 * i)]);
      });
      return y;
    },

    swigluBackward(gate, up, dy) {
      if (!isFloat32(gate)) return host.swigluBackward(gate, up, dy);
      const dgate = result(parts, gate.shape);
      const dup = result(parts, gate.shape);
      withDense(parts, [gate, up, dy], (addresses) => {
        const all = [...addresses, heap.addressOf(dgate), heap.addressOf(dup)];
        split('swigluBackward', dup.buffer.length, (i, count) => [count, ...all.map((at) => at + 4 * i)]);
      });
      return { dgate, dup };
    },

    adamw(param, grad, m, v, options) {
      if (!isFloat32(param)) {
        host.adamw(param, grad, m, v, options);
        return;
      }
      const { lr, beta1, beta2, eps, weightDecay, step } = options;
      const all = [param, grad, m, v].map((view) => heap.addressOf(view));
      const numbers = [
        beta1,
        beta2,
        1 - lr * weightDecay,
        lr / (1 - beta1 ** step),
        Math.sqrt(1 - beta2 ** step),
        eps,
      ];
      split('adamw', sizeOf(param.shape), (i, count) => [count, ...all.map((at) => at + 4 * i), ...numbers]);
    },
  };
}
