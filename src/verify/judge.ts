/**
 * One tensor against the truth: the largest error, what is allowed, and the verdict.
 *
 * The truth was computed by PyTorch in float64. A float64 run must repeat it; a float32 run may be as far off as a good
 * float32 implementation is, for which PyTorch's own float32 error stands.
 */
export type Status = 'OK' | 'DIFF' | 'SHAPE' | 'MISSING';

export interface Row {
  /** Name of the tensor, as in the golden files. */
  readonly name: string;
  /** Shape of the truth. */
  readonly shape: readonly number[];
  /** Max abs error, or the mean where `measure` says so; null where there was nothing to compare. */
  readonly error: number | null;
  /** PyTorch's own float32 error, where it is known. */
  readonly torchError: number | null;
  readonly allowed: number;
  readonly status: Status;
  readonly measure: 'max' | 'mean';
  /** Why it is not OK. */
  readonly note: string;
}

export interface Truth {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Computed {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Allowance {
  readonly allowed: number;
  readonly torchError: number | null;
  readonly measure: 'max' | 'mean';
}

/** Allowed error of a float tensor, relative to the size of the truth. */
const RELATIVE = 2e-6;
/** How many times PyTorch's own float32 error is still as good as PyTorch. */
const TORCH_FACTOR = 4;

/** float64: 2e-6·max(1, max|truth|); float32: that, or 4 × PyTorch's own error where it is larger. */
export function floatAllowance(
  dtype: 'float32' | 'float64',
  truth: Truth,
  torchError: number | null,
): Allowance {
  let scale = 1;
  for (let i = 0; i < truth.data.length; i++) scale = Math.max(scale, Math.abs(truth.data[i]));
  const own = RELATIVE * scale;
  const allowed = dtype === 'float32' ? Math.max(own, TORCH_FACTOR * (torchError ?? 0)) : own;
  return { allowed, torchError, measure: 'max' };
}

/** Integers and masks are equal. */
export const EXACT: Allowance = { allowed: 0, torchError: null, measure: 'max' };

/** @param counts which elements count; all unless given (padded places mean nothing) */
export function judge(
  truth: Truth,
  computed: Computed | undefined,
  allowance: Allowance,
  counts: (index: number) => boolean = () => true,
): Row {
  const base = { name: truth.name, shape: truth.shape, ...allowance };
  if (computed === undefined) return { ...base, error: null, status: 'MISSING', note: 'not computed' };
  if (String(computed.shape) !== String(truth.shape)) {
    return { ...base, error: null, status: 'SHAPE', note: `got [${computed.shape}]` };
  }
  const { max, mean, at } = difference(truth.data, computed.data, counts);
  const error = allowance.measure === 'max' ? max : mean;
  if (error <= allowance.allowed) return { ...base, error, status: 'OK', note: '' };
  const note = `allowed ${allowance.allowed.toExponential(2)}; element ${at} is ${computed.data[at]}, truth ${truth.data[at]}`;
  return { ...base, error, status: 'DIFF', note };
}

/** NaN counts as infinitely wrong. */
function difference(
  truth: ArrayLike<number>,
  computed: ArrayLike<number>,
  counts: (index: number) => boolean,
) {
  let max = 0;
  let at = 0;
  let sum = 0;
  let n = 0;
  for (let i = 0; i < truth.length; i++) {
    if (!counts(i)) continue;
    const off = Math.abs(computed[i] - truth[i]);
    const error = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    if (error > max) [max, at] = [error, i];
    sum += error;
    n++;
  }
  return { max, mean: n === 0 ? 0 : sum / n, at };
}
