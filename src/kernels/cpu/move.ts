/** Making, copying, casting and joining arrays. */
import type { Backend, View } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { requireInt32 } from '../int32.ts';
import { denseStrides, dtypeOf, HOST_ARRAY, sizeOf } from '../views.ts';
import { asNdarray, dataOf, result, strided } from './host.ts';
import { copyElements, forEachLine } from './lines.ts';

type MoveKernels = Pick<
  Backend,
  'upload' | 'read' | 'readSync' | 'fill' | 'copy' | 'cast' | 'concat' | 'assign'
>;

/** @throws RangeError naming the first element that no int32 holds */
function requireInt32s(kernel: string, x: View): void {
  const X = asNdarray(x);
  let seen = 0;
  forEachLine([X], (n, [at], [step]) => {
    for (let j = 0; j < n; j++) requireInt32(kernel, seen++, X.data[at + j * step]);
  });
}

export function moveKernels(heap: Heap): MoveKernels {
  const readSync: Backend['readSync'] = (x) => {
    const host = new HOST_ARRAY[x.buffer.dtype](sizeOf(x.shape));
    copyElements(strided(host, x.shape, denseStrides(x.shape), 0), asNdarray(x));
    return host;
  };

  const copy: Backend['copy'] = (x) => {
    const y = result(heap, x.shape, x.buffer.dtype);
    copyElements(asNdarray(y), asNdarray(x));
    return y;
  };

  return {
    upload(data) {
      const buffer = heap.allocate(dtypeOf(data), data.length, false);
      buffer.data.set(data);
      return buffer;
    },

    readSync,
    read: async (x) => readSync(x),
    copy,

    fill(shape, value, dtype) {
      const y = result(heap, shape, dtype);
      dataOf(y).fill(dtype === 'bool' ? Number(value !== 0) : value);
      return y;
    },

    cast(x, dtype) {
      if (dtype === 'int32') requireInt32s('cast', x);
      const y = result(heap, x.shape, dtype);
      const [Y, X] = [asNdarray(y), asNdarray(x)];
      if (dtype !== 'bool') {
        copyElements(Y, X);
        if (dtype === 'float32' && Y.data instanceof Float64Array) Y.data.set(Float32Array.from(Y.data));
        return y;
      }
      const [ys, xs] = [Y.data, X.data];
      forEachLine([Y, X], (n, [yAt, xAt], [yStep, xStep]) => {
        for (let j = 0; j < n; j++) ys[yAt + j * yStep] = xs[xAt + j * xStep] !== 0 ? 1 : 0;
      });
      return y;
    },

    concat(parts, axis) {
      const shape = [...parts[0].shape];
      shape[axis] = parts.reduce((length, part) => length + part.shape[axis], 0);
      const y = result(heap, shape, parts[0].buffer.dtype);
      const Y = asNdarray(y);
      let start = 0;
      for (const part of parts) {
        const corner = shape.map((_, a) => (a === axis ? start : 0));
        copyElements(Y.lo(...corner).hi(...part.shape), asNdarray(part));
        start += part.shape[axis];
      }
      return y;
    },

    assign(dst, src) {
      // Within one buffer source and destination may overlap: take the numbers out first.
      const from =
        dst.buffer === src.buffer
          ? strided(readSync(src), src.shape, denseStrides(src.shape), 0)
          : asNdarray(src);
      copyElements(asNdarray(dst), from);
    },
  };
}
