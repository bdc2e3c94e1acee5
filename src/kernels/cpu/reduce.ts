/** Sums and maxima over axes, accumulated in double precision. */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { denseStrides } from '../views.ts';
import { asNdarray, dataOf, result, type Strided, strided } from './host.ts';
import { forEachLine, forEachPosition } from './lines.ts';

/** The same elements with `axis` moved to the end. */
function axisLast(x: Strided, axis: number): Strided {
  const axes = x.shape.map((_, a) => a);
  axes.push(...axes.splice(axis, 1));
  return x.transpose(...axes);
}

/** Position of the first maximum of a line; a NaN counts as the maximum, as in PyTorch. −1 where the line is empty. */
function indexOfMax(xs: Strided['data'], at: number, n: number, step: number): number {
  let best = n > 0 ? 0 : -1;
  for (let j = 1; j < n; j++) {
    const champion = xs[at + best * step];
    const x = xs[at + j * step];
    if (x > champion || (Number.isNaN(x) && !Number.isNaN(champion))) best = j;
  }
  return best;
}

export function reduceKernels(heap: Heap): Pick<Backend, 'sum' | 'max' | 'argmax'> {
  return {
    sum(x, axes) {
      const shape = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
      const y = result(heap, shape, x.buffer.dtype);
      const ys = dataOf(y);
      const X = asNdarray(x);
      const xs = X.data;
      // The totals seen in the shape of x: stride 0 along the summed axes sends each element to its total.
      const totals = new Float64Array(ys.length);
      const stride = denseStrides(shape).map((step, axis) => (axes.includes(axis) ? 0 : step));
      forEachLine([strided(totals, x.shape, stride, 0), X], (n, [tAt, xAt], [tStep, xStep]) => {
        for (let j = 0; j < n; j++) totals[tAt + j * tStep] += xs[xAt + j * xStep];
      });
      ys.set(totals);
      return y;
    },

    max(x, axis) {
      const n = x.shape[axis];
      const y = result(heap, x.shape.with(axis, 1), x.buffer.dtype);
      const [X, Y] = [axisLast(asNdarray(x), axis), axisLast(asNdarray(y), axis)];
      const step = x.strides[axis];
      const lowest = x.buffer.dtype === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY;
      forEachPosition(X.shape.slice(0, -1), [X, Y], ([xAt, yAt]) => {
        const best = indexOfMax(X.data, xAt, n, step);
        Y.data[yAt] = best < 0 ? lowest : X.data[xAt + best * step];
      });
      return y;
    },

    argmax(x, axis) {
      const n = x.shape[axis];
      const y = result(heap, x.shape.toSpliced(axis, 1), 'int32');
      const [X, Y] = [axisLast(asNdarray(x), axis), asNdarray(y)];
      forEachPosition(Y.shape, [X, Y], ([xAt, yAt]) => {
        Y.data[yAt] = indexOfMax(X.data, xAt, n, x.strides[axis]);
      });
      return y;
    },
  };
}
