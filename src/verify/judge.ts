/**
 * One result against the truth: a row of the report, with the largest error, what is allowed, and the verdict.
 *
 * The truth was computed by PyTorch in float64. A float64 run must repeat it; a float32 run may be as far off as a good
 * float32 implementation is, for which PyTorch's own float32 error stands.
 */
import { type Comparison, compare, describeComparison } from './compare.ts';
import { EXACT, type Tolerance } from './tolerances.ts';

export type Status = 'OK' | 'DIFF' | 'SHAPE' | 'MISSING';

/**
 * What was looked at: a result, a gradient beside PyTorch's, one beside differences, both beside the op's definition, a message,
 * anything else.
 */
export type Check =
  | 'value'
  | 'gradient'
  | 'gradcheck'
  | 'definition'
  | 'error text'
  | 'training'
  | 'property';

/** Which promise a row is about. */
export interface Subject {
  /** Name of the row, unique in its folder, as in the golden files. */
  readonly name: string;
  /** The op or module, or whatever else was computed: "matmul", "model.layers.0.mlp". */
  readonly of: string;
  readonly check: Check;
}

export interface Row extends Subject {
  /** Shape of the truth. */
  readonly shape: readonly number[];
  /** Max abs error, or the mean where `measure` says so; null where there was nothing to compare. */
  readonly error: number | null;
  /** PyTorch's own float32 error (max abs), where it is known. */
  readonly torchError: number | null;
  /** The error in units in the last place of float32; null where it was not computed in float32. */
  readonly ulps: number | null;
  /** What the worst element was allowed. */
  readonly allowed: number;
  /** Largest part of its allowance that an element uses. */
  readonly used: number;
  readonly status: Status;
  readonly measure: 'max' | 'mean';
  /** Why it is not OK, or why it is although it is off by more than others may be. */
  readonly note: string;
}

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Truth extends Numbers {
  readonly name: string;
}

export interface Allowance {
  readonly tolerance: Tolerance;
  readonly torchError?: number | null;
  /** Default max. A mean is judged by `atol` alone. */
  readonly measure?: 'max' | 'mean';
  /** Which elements count; all unless given (padded places mean nothing). */
  readonly counts?: (index: number) => boolean;
}

/** Integers and masks are equal. */
export const EXACTLY: Allowance = { tolerance: EXACT };

export function judge(
  subject: Subject,
  truth: Numbers,
  computed: Numbers | undefined,
  { tolerance, torchError = null, measure = 'max', counts }: Allowance,
): Row {
  const base = { ...subject, shape: truth.shape, torchError, measure };
  const nothing = {
    ...base,
    error: null,
    ulps: null,
    allowed: tolerance.atol ?? 0,
    used: Number.POSITIVE_INFINITY,
  };
  if (computed === undefined) return { ...nothing, status: 'MISSING', note: 'not computed' };
  if (String(computed.shape) !== String(truth.shape)) {
    return { ...nothing, status: 'SHAPE', note: `got [${computed.shape}], expected [${truth.shape}]` };
  }
  const found = compare(truth.data, computed.data, tolerance, torchError, counts);
  const { error, used, allowed } = measured(found, measure, tolerance);
  const row = { ...base, error, used, allowed, ulps: found.maxUlps };
  if (used <= 1) return { ...row, status: 'OK', note: '' };
  return { ...row, status: 'DIFF', note: describeComparison(found, truth.shape, truth.data, computed.data) };
}

function measured(found: Comparison, measure: 'max' | 'mean', { atol = 0 }: Tolerance) {
  if (measure === 'max') return { error: found.maxAbs, used: found.used, allowed: found.allowed };
  const used = found.mean === 0 ? 0 : found.mean / atol;
  return { error: found.mean, used, allowed: atol };
}

/** A promise that is kept or not, without numbers to compare. `note` says why it is not. */
export function kept(subject: Subject, note: string | null): Row {
  const measure = 'max';
  const base = {
    ...subject,
    shape: [],
    error: null,
    torchError: null,
    ulps: null,
    allowed: 0,
    measure,
  } as const;
  return note === null
    ? { ...base, used: 0, status: 'OK', note: '' }
    : { ...base, used: Number.POSITIVE_INFINITY, status: 'DIFF', note };
}
