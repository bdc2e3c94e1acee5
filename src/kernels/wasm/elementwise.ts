/** Functions of each element, and the update of AdamW. */
import type { Backend, BinaryName, View } from '../backend.ts';
import { isDense, mergeAxes, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';
import { type Arguments, Binary, type KernelName, Unary } from './generated/signatures.ts';

type ElementwiseKernels = Pick<
  Backend,
  'unary' | 'unaryBackward' | 'binary' | 'where' | 'swiglu' | 'swigluBackward' | 'adamw'
>;

export function elementwiseKernels(parts: Parts): ElementwiseKernels {
  const { heap, pool, host, copy } = parts;

  /** In parts of whole vectors. */
  const split = <K extends KernelName>(
    kernel: K,
    n: number,
    call: (from: number, count: number) => Arguments[K],
  ) => pool.split(kernel, n, 1, call, 4);

  function binary(name: BinaryName, a: View, b: View): View {
    const f = Binary[name];
    if (!isFloat32(a)) return host.binary(name, a, b);
    if (sizeOf(a.shape) === 0) return result(parts, a.shape);
    const { shape, strides } = mergeAxes(a.shape, [a.strides, b.strides], 1);
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
    const [[a0, a1, a2, a3], [b0, b1, b2, b3]] = [aStep, bStep];
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
      (from, count) => {
        const [n0, n1, n2, n3] = shape.with(each, count);
        return {
          f,
          n0,
          n1,
          n2,
          n3,
          a: aAt + from * aStep[each],
          a0,
          a1,
          a2,
          a3,
          b: bAt + from * bStep[each],
          b0,
          b1,
          b2,
          b3,
          out: to + 4 * from * weight,
        };
      },
      each === 3 ? 4 : 1,
    );
    return out;
  }

  return {
    binary,

    unary(name, x) {
      const f = Unary[name];
      if (!isFloat32(x)) return host.unary(name, x);
      const y = result(parts, x.shape);
      withDense(parts, [x], ([from]) => {
        const to = heap.addressOf(y);
        split('unary', y.buffer.length, (i, count) => ({ f, n: count, x: from + 4 * i, y: to + 4 * i }));
      });
      return y;
    },

    unaryBackward(name, x, y, dy) {
      const f = Unary[name];
      if (!isFloat32(x)) return host.unaryBackward(name, x, y, dy);
      const dx = result(parts, x.shape);
      withDense(parts, [x, y, dy], ([xAt, yAt, dyAt]) => {
        const to = heap.addressOf(dx);
        split('unaryBackward', dx.buffer.length, (i, count) => ({
          f,
          n: count,
          x: xAt + 4 * i,
          y: yAt + 4 * i,
          dy: dyAt + 4 * i,
          dx: to + 4 * i,
        }));
      });
      return dx;
    },

    where(condition, a, b) {
      if (!isFloat32(a)) return host.where(condition, a, b);
      const out = result(parts, a.shape);
      withDense(parts, [condition, a, b], ([c, x, y]) => {
        const to = heap.addressOf(out);
        split('where', out.buffer.length, (i, count) => ({
          n: count,
          condition: c + i,
          a: x + 4 * i,
          b: y + 4 * i,
          out: to + 4 * i,
        }));
      });
      return out;
    },

    swiglu(gate, up) {
      if (!isFloat32(gate)) return host.swiglu(gate, up);
      const y = result(parts, gate.shape);
      withDense(parts, [gate, up], ([g, u]) => {
        const to = heap.addressOf(y);
        split('swiglu', y.buffer.length, (i, count) => ({
          n: count,
          gate: g + 4 * i,
          up: u + 4 * i,
          y: to + 4 * i,
        }));
      });
      return y;
    },

    swigluBackward(gate, up, dy) {
      if (!isFloat32(gate)) return host.swigluBackward(gate, up, dy);
      const dgate = result(parts, gate.shape);
      const dup = result(parts, gate.shape);
      withDense(parts, [gate, up, dy], ([g, u, d]) => {
        const [toGate, toUp] = [heap.addressOf(dgate), heap.addressOf(dup)];
        split('swigluBackward', dup.buffer.length, (i, count) => ({
          n: count,
          gate: g + 4 * i,
          up: u + 4 * i,
          dy: d + 4 * i,
          dgate: toGate + 4 * i,
          dup: toUp + 4 * i,
        }));
      });
      return { dgate, dup };
    },

    adamw(param, grad, m, v, options) {
      if (!isFloat32(param)) {
        host.adamw(param, grad, m, v, options);
        return;
      }
      const { lr, beta1, beta2, eps, weightDecay, step } = options;
      const [pAt, gAt, mAt, vAt] = [param, grad, m, v].map((view) => heap.addressOf(view));
      const keep = 1 - lr * weightDecay;
      const rate = lr / (1 - beta1 ** step);
      const root2 = Math.sqrt(1 - beta2 ** step);
      split('adamw', sizeOf(param.shape), (i, count) => ({
        n: count,
        p: pAt + 4 * i,
        g: gAt + 4 * i,
        m: mAt + 4 * i,
        v: vAt + 4 * i,
        beta1,
        beta2,
        keep,
        rate,
        root2,
        eps,
      }));
    },
  };
}
