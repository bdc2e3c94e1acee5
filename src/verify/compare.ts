/** Two arrays of numbers, element by element: how many differ by more than is allowed, and by how much the worst. */
import type { Tolerance } from './tolerances.ts';

export interface Comparison {
  /** Elements compared. */
  readonly elements: number;
  /** Elements off by more than allowed. */
  readonly wrong: number;
  /** Largest absolute difference, and its flat index. */
  readonly maxAbs: number;
  readonly maxAbsAt: number;
  /** Largest difference as a part of the truth (Infinity where the truth is 0), and its flat index. */
  readonly maxRel: number;
  readonly maxRelAt: number;
  readonly mean: number;
  /** Largest part of its allowance that an element uses, its flat index and that allowance; at most 1 where all are right. */
  readonly used: number;
  readonly usedAt: number;
  readonly allowed: number;
  /** Largest difference in units in the last place of float32. */
  readonly maxUlps: number;
}

/** The distance from |x| to the next larger float32: 2^(e − 23), and 2^−149 below the normal numbers. */
export function float32Ulp(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 128)) return Number.POSITIVE_INFINITY;
  if (size < 2 ** -126) return 2 ** -149;
  let e = Math.floor(Math.log2(size));
  if (2 ** e > size) e--; // log2 rounds up just below a power of two
  return 2 ** (e - 23);
}

/** What one element of the truth allows. */
export function allowedFor(truth: number, tolerance: Tolerance, torchError: number | null): number {
  const { rtol = 0, atol = 0, ulps = 0, torch = 0 } = tolerance;
  const base = atol + (rtol === 0 ? 0 : rtol * Math.abs(truth));
  const last = ulps === 0 ? 0 : ulps * float32Ulp(truth);
  return Math.max(base, last, torch * (torchError ?? 0));
}

/**
 * NaN agrees with NaN and an infinity with itself; either beside anything else is infinitely wrong.
 * @param counts which elements count; all unless given
 */
export function compare(
  truth: ArrayLike<number>,
  computed: ArrayLike<number>,
  tolerance: Tolerance,
  torchError: number | null = null,
  counts: (index: number) => boolean = () => true,
): Comparison {
  const worst = { maxAbs: 0, maxAbsAt: 0, maxRel: 0, maxRelAt: 0, used: 0, usedAt: 0, maxUlps: 0 };
  let [elements, wrong, sum] = [0, 0, 0];
  for (let i = 0; i < truth.length; i++) {
    if (!counts(i)) continue;
    elements++;
    const [t, c] = [truth[i], computed[i]];
    if (Object.is(t, c) || t === c) continue;
    const off = Math.abs(c - t);
    const error = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    sum += error;
    const allowed = allowedFor(t, tolerance, torchError);
    // Beside NaN and infinities no allowance means anything.
    const infinite = error === Number.POSITIVE_INFINITY;
    const used = infinite || allowed === 0 ? Number.POSITIVE_INFINITY : error / allowed;
    if (used > 1) wrong++;
    const relative = infinite ? error : error / Math.abs(t);
    if (error > worst.maxAbs) [worst.maxAbs, worst.maxAbsAt] = [error, i];
    if (relative > worst.maxRel) [worst.maxRel, worst.maxRelAt] = [relative, i];
    if (used > worst.used) [worst.used, worst.usedAt] = [used, i];
    worst.maxUlps = Math.max(worst.maxUlps, infinite ? error : error / float32Ulp(t));
  }
  const allowed = truth.length === 0 ? 0 : allowedFor(truth[worst.usedAt], tolerance, torchError);
  return { ...worst, elements, wrong, mean: elements === 0 ? 0 : sum / elements, allowed };
}

/** "[1,0,3]": where a flat index is in a shape. */
export function placeOf(index: number, shape: readonly number[]): string {
  const place: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${place.join(',')}]`;
}

/**
 * "3 of 12 elements differ (25 %): largest absolute difference 1.20e-4 at [0,3], largest relative 3.00e-3 at [1,2], allowed
 * 1.00e-5; [0,3] is 0.5, truth 0.50012"
 */
export function describeComparison(
  { elements, wrong, maxAbs, maxAbsAt, maxRel, maxRelAt, usedAt, allowed }: Comparison,
  shape: readonly number[],
  truth: ArrayLike<number>,
  computed: ArrayLike<number>,
): string {
  const part = ((100 * wrong) / elements).toPrecision(2);
  return (
    `${wrong} of ${elements} elements differ (${Number(part)} %): ` +
    `largest absolute difference ${maxAbs.toExponential(2)} at ${placeOf(maxAbsAt, shape)}, ` +
    `largest relative ${maxRel.toExponential(2)} at ${placeOf(maxRelAt, shape)}; ` +
    `${placeOf(usedAt, shape)} is ${computed[usedAt]}, truth ${truth[usedAt]}, allowed ${allowed.toExponential(2)}`
  );
}
