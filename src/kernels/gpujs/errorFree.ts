/**
 * Results beyond float32 from float32 kernels, for verification: the same matmul and softmax, fed with numbers on which
 * they make no error.
 *
 * matmul (the scheme of Ozaki, Ogita, Oishi, Rump, Numerical Algorithms 59, 2012): each row of A and column of B is cut
 * into slices of 7 bits, x = 2^e · Σ_t q_t·2^(−7(t+1)) with integers |q_t| ≤ 2⁷. A product of two slices over at most
 * 256 columns is an integer below 2²², exact in float32 in whatever order it is summed. The slice products are added up in
 * double precision. A kernel with any fault at all shows.
 *
 * softmax: the row's maximum is taken off in double precision first, where large scores lose their digits.
 */
import type { Backend, SoftmaxOptions, View } from '../backend.ts';
import { composedAttention } from '../composedAttention.ts';
import { createCpuBackend, createJsHeap } from '../cpu/index.ts';
import { denseView, sizeOf, swapLastTwo } from '../views.ts';

const SLICE_BITS = 7;
const SLICE = 2 ** SLICE_BITS;
/** 35 bits of each operand. */
const SLICES = 5;
/** Columns whose slice products sum exactly: 2⁷ · 2⁷ · 2⁸ < 2²⁴. */
const CHUNK = 256;

interface Slices {
  /** [SLICES, rows, K], integers. */
  readonly digits: Float32Array;
  /** Power of two of each row. */
  readonly scale: Float64Array;
}

/** Columns from…to of a row-major matrix with `width` columns. */
function cut(x: Float64Array, rows: number, width: number, from: number, to: number): Slices {
  const K = to - from;
  const digits = new Float32Array(SLICES * rows * K);
  const scale = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let max = 0;
    for (let k = from; k < to; k++) max = Math.max(max, Math.abs(x[r * width + k]));
    scale[r] = max === 0 ? 1 : 2 ** Math.ceil(Math.log2(max));
    for (let k = 0; k < K; k++) {
      let rest = x[r * width + from + k] / scale[r];
      for (let t = 0; t < SLICES; t++) {
        rest *= SLICE;
        const digit = Math.round(rest);
        digits[(t * rows + r) * K + k] = digit;
        rest -= digit;
      }
    }
  }
  return { digits, scale };
}

/** a [M, K] · bT [N, K]ᵀ, added to out [M, N]. */
function multiply(
  fast: Backend,
  a: Float64Array,
  bT: Float64Array,
  [M, N, K]: readonly number[],
  out: Float64Array,
): void {
  for (let from = 0; from < K; from += CHUNK) {
    const to = Math.min(K, from + CHUNK);
    const [A, B] = [cut(a, M, K, from, to), cut(bT, N, K, from, to)];
    const width = to - from;
    for (let j = 0; j < SLICES; j++) {
      // Slices i of A with i + j ≥ SLICES are below the last digit that is kept.
      const rows = (SLICES - j) * M;
      const left = denseView(fast.upload(A.digits.subarray(0, rows * width)), [rows, width]);
      const right = denseView(fast.upload(B.digits.subarray(j * N * width, (j + 1) * N * width)), [N, width]);
      const product = fast.matmul(left, swapLastTwo(right));
      const sums = fast.readSync(product);
      for (let i = 0; i < SLICES - j; i++) {
        const weight = SLICE ** -(i + j + 2);
        for (let m = 0; m < M; m++) {
          for (let n = 0; n < N; n++)
            out[m * N + n] += weight * A.scale[m] * B.scale[n] * sums[(i * M + m) * N + n];
        }
      }
      for (const { buffer } of [left, right, product]) fast.release(buffer);
    }
  }
}

/** The matmul and softmax of `fast` at higher precision; the other kernels are the cpu backend's. */
export function errorFree(fast: Backend): Backend {
  const heap = createJsHeap({ wide: true });
  const describe = () =>
    `${fast.describe()}; matmul in error-free slices, softmax of shifted rows, for verification`;
  const host = createCpuBackend({ name: fast.name, heap, describe });
  const numbers = (x: View): Float64Array => {
    const wide = host.cast(x, 'float64');
    const data = host.readSync(wide) as Float64Array;
    host.release(wide.buffer);
    return data;
  };
  const store = (data: ArrayLike<number>, shape: readonly number[]): View => {
    const buffer = heap.allocate('float32', data.length, false);
    buffer.data.set(data);
    return denseView(buffer, shape);
  };

  const matmul = (a: View, b: View): View => {
    if (a.buffer.dtype !== 'float32') return host.matmul(a, b);
    const batch = a.shape.slice(0, -2);
    const [M, K] = a.shape.slice(-2);
    const N = b.shape[b.shape.length - 1];
    const [as, bTs] = [numbers(a), numbers(swapLastTwo(b))];
    const out = new Float64Array(sizeOf(batch) * M * N);
    for (let i = 0; i < sizeOf(batch); i++) {
      const left = as.subarray(i * M * K, (i + 1) * M * K);
      const right = bTs.subarray(i * N * K, (i + 1) * N * K);
      multiply(fast, left, right, [M, N, K], out.subarray(i * M * N, (i + 1) * M * N));
    }
    return store(out, [...batch, M, N]);
  };

  const softmax = (x: View, options: SoftmaxOptions): View => {
    if (x.buffer.dtype !== 'float32') return host.softmax(x, options);
    const [M, N] = [x.shape[x.shape.length - 2] ?? 1, x.shape[x.shape.length - 1]];
    const xs = numbers(x);
    for (let row = 0; row * N < xs.length; row++) {
      const seen = options.causal ? Math.max(0, (row % M) + N - M + 1) : N;
      const visible = xs.subarray(row * N, row * N + seen);
      const max = visible.reduce((m, value) => Math.max(m, value), Number.NEGATIVE_INFINITY);
      for (let j = 0; j < N; j++) xs[row * N + j] = j < seen ? xs[row * N + j] - max : 0;
    }
    const shifted = denseView(fast.upload(Float32Array.from(xs)), x.shape);
    const y = fast.softmax(shifted, options);
    const result = store(fast.readSync(y), x.shape);
    for (const { buffer } of [shifted, y]) fast.release(buffer);
    return result;
  };

  const parts = { ...host, dtypes: fast.dtypes, matmul, softmax };
  return { ...parts, ...composedAttention(parts) };
}
