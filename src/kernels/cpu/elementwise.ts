/** Elementwise kernels: a function from a table, one flat loop where the operands are dense. */
import type { Backend, BinaryName, CompareName } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { forEachLine } from './lines.ts';
import { UNARY } from './unary.ts';

type Binary = (a: number, b: number) => number;

/** int32 results wrap modulo 2³²; an int32 quotient truncates toward zero, and is 0 where the divisor is 0. */
export const BINARY: { readonly [Name in BinaryName]: Binary } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: power,
  maximum: Math.max,
};

export const COMPARE: { readonly [Name in CompareName]: (a: number, b: number) => boolean } = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

/** aᵇ as IEEE 754 and PyTorch have it: JavaScript makes 1^NaN and (±1)^±∞ NaN where they are 1. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY)) return 1;
  return a ** b;
}

type ElementwiseKernels = Pick<Backend, 'unary' | 'unaryBackward' | 'binary' | 'compare' | 'where'>;

export function elementwiseKernels(heap: Heap): ElementwiseKernels {
  return {
    unary(name, x) {
      const { f } = UNARY[name];
      const y = result(heap, x.shape, x.buffer.dtype);
      const [Y, X] = [asNdarray(y), asNdarray(x)];
      const [ys, xs] = [Y.data, X.data];
      forEachLine([Y, X], (n, [yAt, xAt], [yStep, xStep]) => {
        for (let j = 0; j < n; j++) ys[yAt + j * yStep] = f(xs[xAt + j * xStep]);
      });
      return y;
    },

    unaryBackward(name, x, y, dy) {
      const { derivative } = UNARY[name];
      const dx = result(heap, x.shape, x.buffer.dtype);
      const [DX, X, Y, DY] = [asNdarray(dx), asNdarray(x), asNdarray(y), asNdarray(dy)];
      const [dxs, xs, ys, dys] = [DX.data, X.data, Y.data, DY.data];
      forEachLine([DX, X, Y, DY], (n, [dxAt, xAt, yAt, dyAt], [dxStep, xStep, yStep, dyStep]) => {
        for (let j = 0; j < n; j++)
          dxs[dxAt + j * dxStep] =
            dys[dyAt + j * dyStep] * derivative(xs[xAt + j * xStep], ys[yAt + j * yStep]);
      });
      return dx;
    },

    binary(name, a, b) {
      const { dtype } = a.buffer;
      // A product of two int32 needs up to 62 bits, more than a double holds.
      const f = name === 'mul' && dtype === 'int32' ? Math.imul : BINARY[name];
      const y = result(heap, a.shape, dtype);
      const [Y, A, B] = [asNdarray(y), asNdarray(a), asNdarray(b)];
      const [ys, as, bs] = [Y.data, A.data, B.data];
      forEachLine([Y, A, B], (n, [yAt, aAt, bAt], [yStep, aStep, bStep]) => {
        for (let j = 0; j < n; j++) ys[yAt + j * yStep] = f(as[aAt + j * aStep], bs[bAt + j * bStep]);
      });
      return y;
    },

    compare(name, a, b) {
      const holds = COMPARE[name];
      const y = result(heap, a.shape, 'bool');
      const [Y, A, B] = [asNdarray(y), asNdarray(a), asNdarray(b)];
      const [ys, as, bs] = [Y.data, A.data, B.data];
      forEachLine([Y, A, B], (n, [yAt, aAt, bAt], [yStep, aStep, bStep]) => {
        for (let j = 0; j < n; j++)
          ys[yAt + j * yStep] = holds(as[aAt + j * aStep], bs[bAt + j * bStep]) ? 1 : 0;
      });
      return y;
    },

    where(condition, a, b) {
      const y = result(heap, a.shape, a.buffer.dtype);
      const [Y, C, A, B] = [asNdarray(y), asNdarray(condition), asNdarray(a), asNdarray(b)];
      const [ys, cs, as, bs] = [Y.data, C.data, A.data, B.data];
      forEachLine([Y, C, A, B], (n, [yAt, cAt, aAt, bAt], [yStep, cStep, aStep, bStep]) => {
        for (let j = 0; j < n; j++)
          ys[yAt + j * yStep] = cs[cAt + j * cStep] ? as[aAt + j * aStep] : bs[bAt + j * bStep];
      });
      return y;
    },
  };
}
