/**
 * Kernels that move, add and multiply, without any error (the scheme of Ozaki, Ogita, Oishi, Rump, Numerical Algorithms
 * 59, 2012): the fast kernel runs on parts of the numbers on which float32 makes none (parts.ts), and the results are added
 * up in double precision. A kernel with any fault at all shows.
 *
 *   moves       x = Σ float32 parts; f(x) = Σ f(part)
 *   sums        parts are whole multiples of one unit, few enough for every sum of them to be below 2²⁴ units
 *   products    a row of A and a column of B have a unit each; a sum over K products is a whole multiple of the product
 *               of the two units, and below 2²⁴ of them, in whatever order it is added
 */
import {
  asNdarray,
  type Backend,
  dataOf,
  forEachRow,
  sizeOf,
  sliceView,
  swapLastTwo,
  type View,
} from '../../kernels/index.ts';
import { bitsOfProducts, bitsOfSums, floatParts, powerAbove, unitParts } from './parts.ts';
import { isFloat32, type Workbench, wideNumbers } from './workbench.ts';

type KernelsByParts = Pick<
  Backend,
  'copy' | 'concat' | 'gatherRows' | 'where' | 'assign' | 'sum' | 'scatterAddRows' | 'rotary' | 'matmul'
>;

/** Bits of each number that products see, and sums: results are wrong by 2⁻³⁵ and 2⁻⁶⁰ of the largest number. */
const PRODUCT_BITS = 35;
const SUM_BITS = 60;

/** Terms of a sum over products that are added at a time: parts of 7 bits, 2⁷ · 2⁷ · 2¹⁰ = 2²⁴. */
const TERMS = 1024;

/** Units of the elements of a buffer: one for each row of a view of it. */
function unitsOfRows(x: View): Float64Array {
  const units = new Float64Array(x.buffer.length);
  const X = asNdarray(x);
  const width = x.shape[x.shape.length - 1];
  const step = x.strides[x.strides.length - 1];
  forEachRow([X], ([at]) => {
    let max = 0;
    for (let j = 0; j < width; j++) max = Math.max(max, Math.abs(X.data[at + j * step]));
    const unit = powerAbove(max);
    for (let j = 0; j < width; j++) units[at + j * step] = unit;
  });
  return units;
}

/** One unit for a whole buffer. */
function unitsOfAll(x: View): Float64Array {
  const max = wideNumbers(x).reduce((m, value) => Math.max(m, Math.abs(value)), 0);
  return new Float64Array(x.buffer.length).fill(powerAbove(max));
}

/** Columns from…to of a matrix, or of each of many. */
function columns(x: View, from: number, to: number): View {
  return sliceView(x, x.shape.length - 1, from, to - from);
}

function allFinite(x: View): boolean {
  return wideNumbers(x).every(Number.isFinite);
}

export function kernelsByParts(bench: Workbench): KernelsByParts {
  const { host } = bench;

  /** Adds up, smallest first, what `compute` makes of the parts. */
  function addUp(length: number, count: number, compute: (part: number) => ArrayLike<number>): Float64Array {
    const total = new Float64Array(length);
    for (let part = count - 1; part >= 0; part--) {
      const numbers = compute(part);
      for (let i = 0; i < length; i++) total[i] += numbers[i];
    }
    return total;
  }

  /** A kernel whose results are elements of its operands. */
  function moved(
    operands: readonly View[],
    shape: readonly number[],
    run: (k: Backend, x: View[]) => View,
  ): View {
    if (operands.some((x) => x.buffer.dtype === 'float64')) return run(host, [...operands]);
    const like = operands[operands.length - 1].buffer;
    const parts = operands.map((x) => (isFloat32(x) ? floatParts(wideNumbers(x)) : []));
    const runPart = (part: number) =>
      bench.onFast((fast) => {
        const lent = operands.map((x, i) =>
          isFloat32(x) ? bench.lend(x, parts[i][part] ?? new Float32Array(x.buffer.length)) : bench.lend(x),
        );
        return fast.readSync(run(fast, lent));
      });
    if (like.dtype !== 'float32') return bench.store(runPart(0), shape, like);
    const count = Math.max(...parts.map((list) => list.length));
    return bench.store(addUp(sizeOf(shape), count, runPart), shape, like);
  }

  /** A kernel whose results are sums of up to `terms` elements of x. */
  function summed(
    x: View,
    terms: number,
    shape: readonly number[],
    run: (k: Backend, x: View) => View,
  ): View {
    if (!isFloat32(x) || !allFinite(x)) return run(host, x);
    const bits = bitsOfSums(terms);
    const parts = unitParts(wideNumbers(x), unitsOfAll(x), bits, Math.ceil(SUM_BITS / bits));
    const total = addUp(sizeOf(shape), parts.length, (part) =>
      bench.onFast((fast) => fast.readSync(run(fast, bench.lend(x, parts[part])))),
    );
    return bench.store(total, shape, x.buffer);
  }

  /** Σ over the parts i of one operand and j of the others with i + j < count; what is left out is below the last bit. */
  function multiplied(
    length: number,
    count: number,
    run: (fast: Backend, i: number, j: number) => View,
  ): Float64Array {
    return addUp(length, count, (level) =>
      addUp(length, level + 1, (i) => bench.onFast((fast) => fast.readSync(run(fast, i, level - i)))),
    );
  }

  return {
    copy: (x) => moved([x], x.shape, (k, [x]) => k.copy(x)),

    concat(parts, axis) {
      const length = parts.reduce((sum, part) => sum + part.shape[axis], 0);
      return moved(parts, parts[0].shape.with(axis, length), (k, parts) => k.concat(parts, axis));
    },

    gatherRows: (x, index) =>
      moved([index, x], [...index.shape, ...x.shape.slice(1)], (k, [index, x]) => k.gatherRows(x, index)),

    where: (condition, a, b) => moved([condition, a, b], a.shape, (k, [c, a, b]) => k.where(c, a, b)),

    assign(dst, src) {
      if (dst.buffer.dtype === 'float64' || dst.buffer === src.buffer) return host.assign(dst, src);
      const whole = { ...dst, shape: [dst.buffer.length], strides: [1], offset: 0 };
      const written = moved([src, dst], whole.shape, (k, [src, dst]) => {
        k.assign(dst, src);
        return { ...whole, buffer: dst.buffer };
      });
      dataOf(dst).set(dataOf(written));
      host.release(written.buffer);
    },

    sum(x, axes) {
      const terms = sizeOf(axes.map((axis) => x.shape[axis]));
      const shape = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
      return summed(x, terms, shape, (k, x) => k.sum(x, axes));
    },

    scatterAddRows(x, index, rows) {
      const shape = [rows, ...x.shape.slice(1)];
      return summed(x, x.shape[0], shape, (k, x) =>
        k.scatterAddRows(x, k === host ? index : bench.lend(index), rows),
      );
    },

    rotary(x, cos, sin, inverse) {
      if (!isFloat32(x) || ![x, cos, sin].every(allFinite)) return host.rotary(x, cos, sin, inverse);
      const bits = bitsOfProducts(2);
      const count = Math.ceil(PRODUCT_BITS / bits);
      // Two products are added: all of x has one unit, and so have cosine and sine.
      const angleUnit = Math.max(unitsOfAll(cos)[0] ?? 1, unitsOfAll(sin)[0] ?? 1);
      const cutAngles = (a: View) =>
        unitParts(wideNumbers(a), new Float64Array(a.buffer.length).fill(angleUnit), bits, count);
      const xs = unitParts(wideNumbers(x), unitsOfAll(x), bits, count);
      const [cs, ss] = [cutAngles(cos), cutAngles(sin)];
      const turned = multiplied(sizeOf(x.shape), count, (fast, i, j) =>
        fast.rotary(bench.lend(x, xs[i]), bench.lend(cos, cs[j]), bench.lend(sin, ss[j]), inverse),
      );
      return bench.store(turned, x.shape, x.buffer);
    },

    matmul(a, b) {
      if (!isFloat32(a) || ![a, b].every(allFinite)) return host.matmul(a, b);
      const K = a.shape[a.shape.length - 1];
      const shape = [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]];
      const bits = bitsOfProducts(Math.min(K, TERMS));
      const count = Math.ceil(PRODUCT_BITS / bits);
      const cutRows = (x: View) => unitParts(wideNumbers(x), unitsOfRows(x), bits, count);
      const [as, bs] = [cutRows(a), cutRows(swapLastTwo(b))];
      const chunks = Math.ceil(K / TERMS);
      const product = addUp(sizeOf(shape), chunks, (chunk) => {
        const [from, to] = [chunk * TERMS, Math.min(K, (chunk + 1) * TERMS)];
        return multiplied(sizeOf(shape), count, (fast, i, j) => {
          const left = columns(bench.lend(a, as[i]), from, to);
          const right = columns(swapLastTwo(bench.lend(b, bs[j])), from, to);
          return fast.matmul(left, swapLastTwo(right));
        });
      });
      return bench.store(product, shape, a.buffer);
    },
  };
}
