/** Comparisons, conversions between dtypes, and maxima along an axis. */
import type { Backend, CompareName, DType, View } from '../backend.ts';
import { denseView, isDense, permuteView, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result, withDense } from './dense.ts';
import { Cast, Compare } from './generated/signatures.ts';

type CompareKernels = Pick<Backend, 'compare' | 'cast' | 'max' | 'argmax'>;

/** The comparison that says of (b, a) what the named one says of (a, b). */
const MIRRORED: { readonly [name in CompareName]: CompareName } = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  le: 'ge',
  gt: 'lt',
  ge: 'le',
};

/** The conversions that have a kernel: from, to. Of float32 to int32 each number is to be checked, as the host does. */
const CASTS: { readonly [from in DType]?: { readonly [to in DType]?: number } } = {
  float32: { bool: Cast.float32ToBool },
  int32: { float32: Cast.int32ToFloat32, bool: Cast.int32ToBool },
  bool: { float32: Cast.boolToFloat32, int32: Cast.boolToInt32 },
};

/** Whether all elements are one number in memory. */
function isSingle(x: View): boolean {
  return x.shape.every((n, axis) => n === 1 || x.strides[axis] === 0);
}

/** The same elements with `axis` moved to the end. */
function axisLast(x: View, axis: number): View {
  const order = x.shape.map((_, a) => a).toSpliced(axis, 1);
  order.push(axis);
  return permuteView(x, order);
}

export function compareKernels(parts: Parts): CompareKernels {
  const { heap, kernels, pool, host } = parts;

  function compare(name: CompareName, a: View, b: View): View {
    const { dtype } = a.buffer;
    if (dtype !== 'float32' && dtype !== 'int32') return host.compare(name, a, b);
    const n = sizeOf(a.shape);
    if (isSingle(a) && !isSingle(b)) return compare(MIRRORED[name], b, a);
    const f = dtype === 'int32' ? Compare[`${name}Int32`] : Compare[name];
    const out = denseView(heap.allocate('bool', n, false), [...a.shape]);
    const step = n > 1 && isSingle(b) ? 0 : 4;
    const operands = step === 0 ? [a] : [a, b];
    withDense(parts, operands, ([x, y]) => {
      const [from, to] = [step === 0 ? heap.addressOf(b) : y, heap.addressOf(out)];
      pool.split(
        'compare',
        n,
        1,
        (i, count) => ({ f, n: count, a: x + 4 * i, b: from + step * i, bStep: step, out: to + i }),
        4,
      );
    });
    return out;
  }

  return {
    compare,

    cast(x, dtype) {
      const f = CASTS[x.buffer.dtype]?.[dtype];
      // Bytes that are not dense are rare, and the copy kernel moves four-byte elements.
      if (f === undefined || (x.buffer.dtype === 'bool' && !isDense(x))) return host.cast(x, dtype);
      const n = sizeOf(x.shape);
      const y = denseView(heap.allocate(dtype, n, false), [...x.shape]);
      const [source, target] = [x.buffer.dtype, dtype].map((type) => (type === 'bool' ? 1 : 4));
      withDense(parts, [x], ([from]) => {
        const to = heap.addressOf(y);
        pool.split(
          'cast',
          n,
          1,
          (i, count) => ({ f, n: count, x: from + source * i, y: to + target * i }),
          4,
        );
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
          pool.split('maxRows', outer, n, (r, count) => ({
            rows: count,
            n,
            x: from + 4 * r * n,
            y: to + 4 * r,
          }));
        } else {
          for (let o = 0; o < outer; o++) {
            kernels.maxColumns({
              rows: n,
              n: inner,
              x: from + 4 * o * n * inner,
              row: 4 * inner,
              y: to + 4 * o * inner,
            });
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
        pool.split('argmaxRows', sizeOf(shape), n, (r, count) => ({
          rows: count,
          n,
          x: from + 4 * r * n,
          y: to + 4 * r,
        }));
      });
      return y;
    },
  };
}
