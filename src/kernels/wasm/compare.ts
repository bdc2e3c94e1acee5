/** Comparisons, conversions between dtypes, and maxima along an axis. */
import type { Backend, CompareName, DType, View } from '../backend.ts';
import { denseView, isDense, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';

type CompareKernels = Pick<Backend, 'compare' | 'cast' | 'max' | 'argmax'>;

/** Numbers of the comparisons of float32 in assembly/compare.ts; those of int32 begin at 6. */
const COMPARE: { readonly [name in CompareName]: number } = { eq: 0, ne: 1, lt: 2, le: 3, gt: 4, ge: 5 };
const FIRST_OF_INT32 = 6;

/** The comparison that says of (b, a) what the named one says of (a, b). */
const MIRRORED: { readonly [name in CompareName]: CompareName } = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  le: 'ge',
  gt: 'lt',
  ge: 'le',
};

/** Numbers of the conversions in assembly/compare.ts: from, to. */
const CAST: { readonly [from in DType]?: { readonly [to in DType]?: number } } = {
  float32: { int32: 0, bool: 2 },
  int32: { float32: 1, bool: 3 },
  bool: { float32: 4, int32: 5 },
};

/** Whether all elements are one number in memory. */
function isSingle(x: View): boolean {
  return x.shape.every((n, axis) => n === 1 || x.strides[axis] === 0);
}

/** The same elements with `axis` moved to the end. */
function axisLast(x: View, axis: number): View {
  const order = x.shape.map((_, a) => a).toSpliced(axis, 1);
  order.push(axis);
  return { ...x, shape: order.map((a) => x.shape[a]), strides: order.map((a) => x.strides[a]) };
}

export function compareKernels(parts: Parts): CompareKernels {
  const { heap, kernels, pool, host } = parts;

  function compare(name: CompareName, a: View, b: View): View {
    const { dtype } = a.buffer;
    if (dtype !== 'float32' && dtype !== 'int32') return host.compare(name, a, b);
    const n = sizeOf(a.shape);
    if (isSingle(a) && !isSingle(b)) return compare(MIRRORED[name], b, a);
    const f = COMPARE[name] + (dtype === 'int32' ? FIRST_OF_INT32 : 0);
    const out = denseView(heap.allocate('bool', n, false), [...a.shape]);
    const step = n > 1 && isSingle(b) ? 0 : 4;
    const operands = step === 0 ? [a] : [a, b];
    withDense(parts, operands, ([x, y]) => {
      const [from, to] = [step === 0 ? heap.addressOf(b) : y, heap.addressOf(out)];
      const call = (i: number, count: number) => [f, count, x + 4 * i, from + step * i, step, to + i];
      pool.split('compare', n, 1, call, 4);
    });
    return out;
  }

  return {
    compare,

    cast(x, dtype) {
      const f = CAST[x.buffer.dtype]?.[dtype];
      // Bytes that are not dense are rare, and the copy kernel moves four-byte elements.
      if (f === undefined || (x.buffer.dtype === 'bool' && !isDense(x))) return host.cast(x, dtype);
      const n = sizeOf(x.shape);
      const y = denseView(heap.allocate(dtype, n, false), [...x.shape]);
      const [source, target] = [x.buffer.dtype, dtype].map((type) => (type === 'bool' ? 1 : 4));
      withDense(parts, [x], ([from]) => {
        const to = heap.addressOf(y);
        pool.split('cast', n, 1, (i, count) => [f, count, from + source * i, to + target * i], 4);
      });
      return y;
    },

    max(x, axis) {
      if (!isFloat32(x)) return host.max(x, axis);
      const y = result(parts, x.shape.with(axis, 1));
      const n = x.shape[axis];
      const outer = sizeOf(x.shape.slice(0, axis));
      const inner = sizeOf(x.shape.slice(axis + 1));
      withDense(parts, [x], ([from]) => {
        const to = heap.addressOf(y);
        if (inner === 1) {
          pool.split('maxRows', outer, n, (r, count) => [count, n, from + 4 * r * n, to + 4 * r]);
        } else {
          for (let o = 0; o < outer; o++) {
            kernels.maxColumns(n, inner, from + 4 * o * n * inner, 4 * inner, to + 4 * o * inner);
          }
        }
      });
      return y;
    },

    argmax(x, axis) {
      if (!isFloat32(x)) return host.argmax(x, axis);
      const shape = x.shape.toSpliced(axis, 1);
      const y = denseView(heap.allocate('int32', sizeOf(shape), false), shape);
      const n = x.shape[axis];
      withDense(parts, [axisLast(x, axis)], ([from]) => {
        const to = heap.addressOf(y);
        pool.split('argmaxRows', sizeOf(shape), n, (r, count) => [count, n, from + 4 * r * n, to + 4 * r]);
      });
      return y;
    },
  };
}
