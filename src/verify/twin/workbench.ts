/**
 * Between the host, which holds float32 tensors in double precision, and the fast backend, whose kernels are looked at:
 * numbers go over in views of the same shape, strides and offset, so that it takes the path it takes in a model.
 */
import {
  type Backend,
  dataOf,
  denseView,
  type Heap,
  type HostArray,
  type View,
} from '../../kernels/index.ts';

export class Workbench {
  readonly fast: Backend;
  readonly host: Backend;
  readonly #heap: Heap;

  /** @param host a host backend over `heap`, which holds float32 in double precision */
  constructor(fast: Backend, host: Backend, heap: Heap) {
    this.fast = fast;
    this.host = host;
    this.#heap = heap;
  }

  /** What `compute` reads of the fast backend, whose buffers it leaves as they were before. */
  onFast<R>(compute: (fast: Backend) => R): R {
    this.fast.openScope();
    try {
      return compute(this.fast);
    } finally {
      this.fast.closeScope(new Set());
    }
  }

  /** The view on the fast backend, with other numbers where they are given. */
  lend(x: View, numbers: HostArray = dataOf(x)): View {
    return { ...x, buffer: this.fast.upload(numbers) };
  }

  /** A view on the host, of the same shape and strides, with other numbers. */
  withNumbers(x: View, numbers: ArrayLike<number>): View {
    const buffer = this.#heap.allocate(x.buffer.dtype, numbers.length, false);
    buffer.data.set(numbers);
    return { ...x, buffer };
  }

  /** Row-major numbers as a tensor of the host's. */
  store(
    numbers: ArrayLike<number>,
    shape: readonly number[],
    { dtype }: { dtype: View['buffer']['dtype'] },
  ): View {
    const buffer = this.#heap.allocate(dtype, numbers.length, false);
    buffer.data.set(numbers);
    return denseView(buffer, [...shape]);
  }
}

export function isFloat32(x: View): boolean {
  return x.buffer.dtype === 'float32';
}

/** All numbers of the buffer under a float32 view of the host's, in double precision. */
export function wideNumbers(x: View): Float64Array {
  return dataOf(x) as Float64Array;
}
