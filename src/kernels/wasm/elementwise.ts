/** Functions of each element, and the update of AdamW. */
import type { Backend, BinaryName, UnaryName, View } from '../backend.ts';
import { isDense, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';
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
  const { heap, kernels, host, copy } = parts;

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
    const [n0, n1, n2, n3] = shape;
    const [a0, a1, a2, a3] = strides[0].map((step) => step * 4);
    const [b0, b1, b2, b3] = strides[1].map((step) => step * 4);
    const [x, y, z] = [heap.addressOf(a), heap.addressOf(b), heap.addressOf(out)];
    kernels.binary(f, n0, n1, n2, n3, x, a0, a1, a2, a3, y, b0, b1, b2, b3, z);
    return out;
  }

  return {
    binary,

    unary(name, x) {
      const f = UNARY[name];
      if (!isFloat32(x)) return host.unary(name, x);
      const y = result(parts, x.shape);
      withDense(parts, [x], ([from]) => kernels.unary(f, y.buffer.length, from, heap.addressOf(y)));
      return y;
    },

    unaryBackward(name, x, y, dy) {
      const f = SLOPE[name];
      if (!isFloat32(x)) return host.unaryBackward(name, x, y, dy);
      const dx = result(parts, x.shape);
      withDense(parts, [x, y, dy], ([xAt, yAt, dyAt]) =>
        kernels.unaryBackward(f, dx.buffer.length, xAt, yAt, dyAt, heap.addressOf(dx)),
      );
      return dx;
    },

    where(condition, a, b) {
      if (!isFloat32(a)) return host.where(condition, a, b);
      const out = result(parts, a.shape);
      withDense(parts, [condition, a, b], ([c, x, y]) =>
        kernels.where(out.buffer.length, c, x, y, heap.addressOf(out)),
      );
      return out;
    },

    swiglu(gate, up) {
      if (!isFloat32(gate)) return host.swiglu(gate, up);
      const y = result(parts, gate.shape);
      withDense(parts, [gate, up], ([g, u]) => kernels.swiglu(y.buffer.length, g, u, heap.addressOf(y)));
      return y;
    },

    swigluBackward(gate, up, dy) {
      if (!isFloat32(gate)) return host.swigluBackward(gate, up, dy);
      const dgate = result(parts, gate.shape);
      const dup = result(parts, gate.shape);
      withDense(parts, [gate, up, dy], ([g, u, d]) =>
        kernels.swigluBackward(dup.buffer.length, g, u, d, heap.addressOf(dgate), heap.addressOf(dup)),
      );
      return { dgate, dup };
    },

    adamw(param, grad, m, v, options) {
      if (!isFloat32(param)) {
        host.adamw(param, grad, m, v, options);
        return;
      }
      const { lr, beta1, beta2, eps, weightDecay, step } = options;
      const [p, g, first, second] = [param, grad, m, v].map((view) => heap.addressOf(view));
      kernels.adamw(
        sizeOf(param.shape),
        p,
        g,
        first,
        second,
        beta1,
        beta2,
        1 - lr * weightDecay,
        lr / (1 - beta1 ** step),
        Math.sqrt(1 - beta2 ** step),
        eps,
      );
    },
  };
}
