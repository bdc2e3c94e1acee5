/**
 * Kernels that must round: what rounding explains is taken out of their results, anything else stays in.
 *
 * The fast kernel and the host's get the same float32 numbers. Where they agree within a bound that rounding alone can
 * reach, the result is the host's from the numbers in full precision; where they do not, what the fast kernel is off by
 * is added to it, and is found by whoever looks at the result.
 */
import type { Backend, View } from '../../kernels/backend.ts';
import { asNdarray } from '../../kernels/cpu/host.ts';
import { forEachRow } from '../../kernels/cpu/lines.ts';
import { isFloat32, type Workbench, wideNumbers } from './workbench.ts';

type KernelsBeside = Pick<
  Backend,
  | 'unary'
  | 'unaryBackward'
  | 'binary'
  | 'softmax'
  | 'softmaxBackward'
  | 'crossEntropy'
  | 'crossEntropyBackward'
  | 'layerNorm'
  | 'layerNormBackward'
  | 'rmsNorm'
  | 'rmsNormBackward'
  | 'swiglu'
  | 'swigluBackward'
>;

type Results = readonly View[];

/** What a result may be off by, relative to the largest number of its row: 8 times half a unit in the last place. */
const ROUNDING = 2 ** -21;

/** Sizes of the numbers that a row of a result is computed from, where cancellation makes it smaller than they are. */
export type Sizes = (row: number) => number;

/** Runs one kernel on one backend: its results from its tensors. */
type Run = (k: Backend, operands: readonly View[]) => Results;

/** Below this float32 has fewer digits. */
const SMALLEST = 2 ** -126;

/** Largest magnitude of each row of the last axis. */
export function rowSizes(x: View): Float64Array {
  const width = x.shape[x.shape.length - 1] ?? 1;
  const sizes = new Float64Array(x.shape.slice(0, -1).reduce((n, m) => n * m, 1));
  if (x.shape.length === 0) return sizes.fill(Math.abs(asNdarray(x).get()));
  const X = asNdarray(x);
  const step = x.strides[x.strides.length - 1];
  forEachRow([X], ([at], r) => {
    for (let j = 0; j < width; j++) sizes[r] = Math.max(sizes[r], Math.abs(X.data[at + j * step]));
  });
  return sizes;
}

export function largest(x: View): number {
  return rowSizes(x).reduce((m, size) => Math.max(m, size), 0);
}

/** Adds to `wide` what `fast` is off by beyond rounding. All three are row-major, rows of `width`. */
function keepFaults(
  wide: Float64Array,
  same: Float64Array,
  fast: ArrayLike<number>,
  width: number,
  sizes?: Sizes,
): void {
  for (let row = 0; row * width < wide.length; row++) {
    const [from, to] = [row * width, (row + 1) * width];
    let size = Math.max(SMALLEST, sizes?.(row) ?? 0);
    for (let i = from; i < to; i++) size = Math.max(size, Math.abs(same[i]));
    for (let i = from; i < to; i++) {
      if (Object.is(fast[i], Math.fround(same[i]))) continue;
      const off = fast[i] - same[i];
      if (!(Math.abs(off) <= ROUNDING * size)) wide[i] += off;
    }
  }
}

/**
 * The results of a kernel with only the faults of the fast backend in them.
 * @param wide results in full precision; by default the host kernel's
 * @param sizes for each result, given the host's results, what its rows may be off relative to
 */
export function runBeside(
  bench: Workbench,
  operands: readonly View[],
  run: Run,
  sizes: (results: Results) => readonly (Sizes | undefined)[] = () => [],
  wide: Results = run(bench.host, operands),
): Results {
  const { host } = bench;
  if (!isFloat32(wide[0])) return wide;
  host.openScope();
  try {
    const floats = operands.map((x) => (isFloat32(x) ? new Float32Array(wideNumbers(x)) : undefined));
    const rounded = operands.map((x, i) => (floats[i] === undefined ? x : bench.withNumbers(x, floats[i])));
    const same = run(host, rounded);
    const scales = sizes(same);
    bench.onFast((fast) => {
      const results = run(
        fast,
        operands.map((x, i) => bench.lend(x, floats[i])),
      );
      for (const [i, result] of results.entries()) {
        const width = result.shape[result.shape.length - 1] ?? 1;
        keepFaults(wideNumbers(wide[i]), wideNumbers(same[i]), fast.readSync(result), width, scales[i]);
      }
    });
  } finally {
    host.closeScope(new Set());
  }
  return wide;
}

export function kernelsBeside(bench: Workbench): KernelsBeside {
  const beside = (
    operands: readonly View[],
    run: Run,
    sizes?: (results: Results) => readonly (Sizes | undefined)[],
  ) => runBeside(bench, operands, run, sizes);

  return {
    unary: (name, x) => beside([x], (k, [x]) => [k.unary(name, x)])[0],

    unaryBackward(name, x, y, dy) {
      const size = rowSizes(dy);
      return beside(
        [x, y, dy],
        (k, [x, y, dy]) => [k.unaryBackward(name, x, y, dy)],
        () => [(r) => size[r]],
      )[0];
    },

    binary: (name, a, b) => beside([a, b], (k, [a, b]) => [k.binary(name, a, b)])[0],

    softmax: (x, options) => beside([x], (k, [x]) => [k.softmax(x, options)])[0],

    softmaxBackward(y, dy) {
      const size = rowSizes(dy); // y is at most 1
      return beside(
        [y, dy],
        (k, [y, dy]) => [k.softmaxBackward(y, dy)],
        () => [(r) => size[r]],
      )[0];
    },

    crossEntropy(x, targets, ignoreIndex) {
      const size = largest(x); // a loss is a difference of scores
      const [loss, logSumExp] = beside(
        [x, targets],
        (k, [x, targets]) => {
          const { loss, logSumExp } = k.crossEntropy(x, targets, ignoreIndex);
          return [loss, logSumExp];
        },
        () => [() => size],
      );
      return { loss, logSumExp };
    },

    crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss) {
      const size = largest(dloss); // times a probability less 0 or 1
      return beside(
        [x, targets, logSumExp, dloss],
        (k, [x, targets, logs, dloss]) => [k.crossEntropyBackward(x, targets, ignoreIndex, logs, dloss)],
        () => [() => size],
      )[0];
    },

    layerNorm(x, weight, bias, eps) {
      const [size, w] = [rowSizes(x), largest(weight)];
      const [y, mean, rstd] = beside(
        [x, weight, bias],
        (k, [x, weight, bias]) => {
          const { y, mean, rstd } = k.layerNorm(x, weight, bias, eps);
          return [y, mean, rstd];
        },
        // Differences of numbers of this size are taken.
        ([, , rstd]) => {
          const scale = wideNumbers(rstd);
          return [(r) => size[r] * scale[r] * w, (r) => size[r], (r) => size[r] * scale[r] ** 2];
        },
      );
      return { y, mean, rstd };
    },

    layerNormBackward(x, weight, mean, rstd, dy) {
      const [xSize, dySize, w] = [rowSizes(x), rowSizes(dy), largest(weight)];
      const [dx, dweight, dbias] = beside(
        [x, weight, mean, rstd, dy],
        (k, [x, weight, mean, rstd, dy]) => {
          const { dx, dweight, dbias } = k.layerNormBackward(x, weight, mean, rstd, dy);
          return [dx, dweight, dbias];
        },
        () => {
          const scale = rowSizes(rstd);
          return [(r) => (1 + xSize[r] * scale[r]) * scale[r] * w * dySize[r]];
        },
      );
      return { dx, dweight, dbias };
    },

    rmsNorm(x, weight, eps) {
      const [y, rstd] = beside([x, weight], (k, [x, weight]) => {
        const { y, rstd } = k.rmsNorm(x, weight, eps);
        return [y, rstd];
      });
      return { y, rstd };
    },

    rmsNormBackward(x, weight, rstd, dy) {
      const [xSize, dySize, w] = [rowSizes(x), rowSizes(dy), largest(weight)];
      const [dx, dweight] = beside(
        [x, weight, rstd, dy],
        (k, [x, weight, rstd, dy]) => {
          const { dx, dweight } = k.rmsNormBackward(x, weight, rstd, dy);
          return [dx, dweight];
        },
        () => {
          const scale = rowSizes(rstd);
          return [(r) => (1 + xSize[r] * scale[r]) * scale[r] * w * dySize[r]];
        },
      );
      return { dx, dweight };
    },

    swiglu: (gate, up) => beside([gate, up], (k, [gate, up]) => [k.swiglu(gate, up)])[0],

    swigluBackward(gate, up, dy) {
      const [dgate, dup] = beside([gate, up, dy], (k, [gate, up, dy]) => {
        const { dgate, dup } = k.swigluBackward(gate, up, dy);
        return [dgate, dup];
      });
      return { dgate, dup };
    },
  };
}
