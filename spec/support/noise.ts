/**
 * The noise of float32: what a result may be off by without anybody's fault, measured for each result anew.
 *
 * The same computation runs in float64, and a few times with every result of a kernel rounded to float32, from weights and
 * pixels moved by their last place. How far those runs come from the truth is the noise of each tensor: what the condition
 * of the model makes of roundings, cancellation in its gradients included. In float64 it is 2²⁹ times less.
 */
import type { Backend, DType } from '../../src/kernels/backend.ts';
import { composedAttention } from '../../src/kernels/composedAttention.ts';
import { cpu, openCpu } from '../../src/kernels/cpu/index.ts';
import { getBackend, Rng, scope, setBackend } from '../../src/tensor/index.ts';

/** The numbers that a model and its pictures are made of. */
export interface Numbers {
  readonly dtype: DType;
  /** Moves each by the last place of a float32. */
  readonly nudge?: Rng;
}

/** Tensors by name. */
export type Results = ReadonlyMap<string, ArrayLike<number>>;

/** Builds what it needs on the backend in use and says what came out. */
export type Computation = (numbers: Numbers) => Promise<Results>;

export interface Noise {
  /** What float64 says. */
  readonly truth: Results;
  /** Largest error in each tensor of a float32 run. */
  readonly float32: ReadonlyMap<string, number>;
}

/** Rounds where float32 kernels do, inside attention too: its gradient is a difference of what may be nearly equal. */
const strict = openCpu({ strict: true });
const rounding: Backend = { ...strict, ...composedAttention(strict) };

/**
 * Where the error of one number decides all others, a run is ten times better than usual in one of ten cases, by chance.
 * Six runs together are so in one of a million.
 */
const RUNS = 6;

/** What rounding to float32 changes in a number at most, as a part of it: a result is at least as noisy. */
const HALF_PLACE = 2 ** -24;

export async function measureNoise(compute: Computation): Promise<Noise> {
  const truth = await runOn(cpu, () => compute({ dtype: 'float64' }));
  const noise = new Map([...truth].map(([name, values]) => [name, HALF_PLACE * greatestSize(values)]));
  for (let run = 0; run < RUNS; run++) {
    const rounded = await runOn(rounding, () => compute({ dtype: 'float32', nudge: new Rng(run) }));
    for (const [name, values] of rounded) {
      const off = greatestDifference(values, truth.get(name) ?? []);
      if (off === Number.POSITIVE_INFINITY)
        throw new Error(
          `${name}: a run in float32 gave something else than ${truth.get(name)?.length} numbers`,
        );
      noise.set(name, Math.max(off, noise.get(name) ?? 0));
    }
  }
  return { truth, float32: noise };
}

/** Runs `fn` on another backend and gives back its memory; the backend in use is then the one before. */
export async function runOn<R>(backend: Backend, fn: () => Promise<R>): Promise<R> {
  const before = getBackend();
  await setBackend(backend);
  try {
    return await scope(fn);
  } finally {
    await setBackend(before);
  }
}

function greatestSize(values: ArrayLike<number>): number {
  let greatest = 0;
  for (let i = 0; i < values.length; i++) greatest = Math.max(greatest, Math.abs(values[i]));
  return greatest;
}

/** Infinity where the lengths differ or a number is none. */
export function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(a[i] - b[i]);
    if (!(off <= greatest)) greatest = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
  }
  return greatest;
}
