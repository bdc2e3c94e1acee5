/**
 * Kernels that must round: what rounding explains is taken out of their results, anything else stays in.
 *
 * The fast kernel and the host's get the same float32 numbers. Where they agree within a bound that rounding alone can
 * reach, the result is the host's from the numbers in full precision; where they do not, what the fast kernel is off by
 * is added to it, and is found by whoever looks at the result.
 */
import { asNdarray, type Backend, forEachRow, sizeOf, type View } from '../../kernels/index.ts';
import { isFloat32, type Workbench, wideNumbers } from './workbench.ts';

/** What runs on the host alone: memory, kernels without float32 operands or results, and `adamw`, which writes in place. */
const ALONE = [
  'name',
  'dtypes',
  'describe',
  'upload',
  'read',
  'readSync',
  'release',
  'park',
  'memory',
  'openScope',
  'closeScope',
  'fill',
  'cast',
  'compare',
  'argmax',
  'adamw',
] as const satisfies readonly (keyof Backend)[];

type KernelsBeside = Omit<Backend, (typeof ALONE)[number]>;

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
 * Leaves in the results of a kernel the faults of the fast backend alone.
 * @param wide float32 results in full precision
 * @param sizes for each result, given the host's results, what its rows may be off relative to
 */
export function runBeside(
  bench: Workbench,
  operands: readonly View[],
  run: Run,
  sizes: (results: Results) => readonly (Sizes | undefined)[],
  wide: Results,
): void {
  const { host } = bench;
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
}

/** Results of a kernel by name; the only one is `out`. */
type Fields = Readonly<Record<string, View>>;

const isView = (x: unknown): x is View => typeof x === 'object' && x !== null && 'buffer' in x;

const isListOfViews = (x: unknown): boolean => Array.isArray(x) && x.some(isView);

const fieldsOf = (result: View | Fields): Fields => (isView(result) ? { out: result } : result);

/** What the gradient by x of a norm is computed from. */
function slopesOfNorm(x: View, weight: View, rstd: View, dy: View): Sizes {
  const [xSize, dySize, scale, w] = [rowSizes(x), rowSizes(dy), rowSizes(rstd), largest(weight)];
  return (r) => (1 + xSize[r] * scale[r]) * scale[r] * w * dySize[r];
}

type SizesByField = Readonly<Record<string, Sizes>>;

/** Where rounding of a kernel's results is not relative to their own rows, nor that of a gradient to dy. */
const SIZES: {
  readonly [K in keyof KernelsBeside]?: (args: Parameters<Backend[K]>, results: Fields) => SizesByField;
} = {
  crossEntropy([x]) {
    const size = largest(x); // a loss is a difference of scores
    return { loss: () => size };
  },
  layerNorm([x, weight], { rstd }) {
    // Differences of numbers of this size are taken.
    const [size, scale, w] = [rowSizes(x), wideNumbers(rstd), largest(weight)];
    return {
      y: (r) => size[r] * scale[r] * w,
      mean: (r) => size[r],
      rstd: (r) => size[r] * scale[r] ** 2,
    };
  },
  layerNormBackward: ([x, weight, , rstd, dy]) => ({ dx: slopesOfNorm(x, weight, rstd, dy) }),
  rmsNormBackward: ([x, weight, rstd, dy]) => ({ dx: slopesOfNorm(x, weight, rstd, dy) }),
  swigluBackward: () => ({}), // products alone
};

/** A gradient is linear in dy, and may be a difference of terms of its size. */
function sizesOfGradient(dy: View, results: Fields): SizesByField {
  const [sizes, all] = [rowSizes(dy), largest(dy)];
  const sizeFor = ({ shape }: View): Sizes =>
    sizeOf(shape.slice(0, -1)) === sizes.length ? (r) => sizes[r] : () => all;
  return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, sizeFor(result)]));
}

type AnyKernel = (...args: readonly unknown[]) => View | Fields;

/**
 * Every kernel of the interface, whether named here or not: its operands are the tensors among its arguments (of `…Backward` the
 * last is dy), its results the tensor or tensors it returns. A kernel that takes or gives lists of them, or writes in place, has
 * to be given elsewhere.
 */
export function kernelsBeside(bench: Workbench): KernelsBeside {
  const besideHost = (name: string): AnyKernel => {
    const on = (k: Backend) => k[name as keyof KernelsBeside] as unknown as AnyKernel;
    return (...args) => {
      const result = on(bench.host)(...args);
      const wide = fieldsOf(result);
      if (args.some(isListOfViews) || !Object.values(wide).every(isView))
        throw new Error(`the twin cannot run ${name} beside the host: it takes or gives lists of tensors`);
      const names = Object.keys(wide).filter((field) => isFloat32(wide[field]));
      if (names.length === 0) return result;
      const operands = args.filter(isView);
      runBeside(
        bench,
        operands,
        (k, given) => {
          const lent = [...given];
          const fields = fieldsOf(on(k)(...args.map((x) => (isView(x) ? lent.shift() : x))));
          return names.map((field) => fields[field]);
        },
        (same) => {
          const results = Object.fromEntries(names.map((field, i) => [field, same[i]]));
          const own = SIZES[name as keyof KernelsBeside] as
            | ((a: unknown, r: Fields) => SizesByField)
            | undefined;
          const sizes =
            own?.(args, results) ??
            (name.endsWith('Backward') ? sizesOfGradient(operands[operands.length - 1], results) : {});
          return names.map((field) => sizes[field]);
        },
        names.map((field) => wide[field]),
      );
      return result;
    };
  };
  const names = Object.keys(bench.host).filter((name) => !(ALONE as readonly string[]).includes(name));
  return Object.fromEntries(names.map((name) => [name, besideHost(name)])) as unknown as KernelsBeside;
}
