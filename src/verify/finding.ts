/**
 * What running a golden folder finds, before anything is judged: a result beside the truth, with what it may be off; or a
 * promise that has no numbers.
 */
import type { Subject } from './row.ts';
import { EXACT, type Exception, type Tolerance } from './tolerances.ts';

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Truth extends Numbers {
  readonly name: string;
}

/** Why there are no numbers to compare. */
export interface Lack {
  readonly status: 'MISSING' | 'SHAPE';
  readonly note: string;
}

export const NOT_COMPUTED: Lack = { status: 'MISSING', note: 'not computed' };

export interface Allowance {
  readonly tolerance: Tolerance;
  readonly torchError?: number | null;
  /** What is allowed beyond `tolerance`, and why. */
  readonly exception?: Exception | undefined;
  /** Default max. A mean is judged by `atol` alone. */
  readonly measure?: 'max' | 'mean';
  /** Which elements count; all unless given (padded places mean nothing). */
  readonly counts?: (index: number) => boolean;
}

/** Integers and masks are equal. */
export const EXACTLY: Allowance = { tolerance: EXACT };

/** A result beside the truth. */
export interface Result {
  readonly subject: Subject;
  readonly truth: Numbers;
  readonly computed: Numbers | Lack;
  readonly allowance: Allowance;
}

/** A promise that is kept or not, without numbers to compare. */
export interface Promised {
  readonly subject: Subject;
  /** How it is not kept; null where it is. */
  readonly broken: string | Lack | null;
}

export type Finding = Result | Promised;

/** One after the other, as they are computed. */
export type Findings = AsyncIterable<Finding>;
