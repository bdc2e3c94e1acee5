/**
 * One finding becomes a row of the report, with the largest error, what is allowed, and the verdict.
 *
 * The truth was computed by PyTorch in float64. A float64 run must repeat it; a float32 run may be as far off as a good
 * float32 implementation is, for which PyTorch's own float32 error stands.
 */
import { type Comparison, compare, describeComparison } from './compare.ts';
import type { Finding, Promised, Result } from './finding.ts';
import type { Row } from './row.ts';
import type { Tolerance } from './tolerances.ts';

/** Where only an exception lets a result pass, the row says why. */
export function judge(finding: Finding): Row {
  if ('broken' in finding) return judgePromise(finding);
  const { tolerance, exception } = finding.allowance;
  const row = judgeResult(finding, tolerance);
  if (row.status !== 'DIFF' || exception === undefined) return row;
  const excused = judgeResult(finding, exception.tolerance);
  return excused.status === 'OK' ? { ...excused, note: exception.why } : excused;
}

function judgeResult({ subject, truth, computed, allowance }: Result, tolerance: Tolerance): Row {
  const { torchError = null, measure = 'max', counts } = allowance;
  const base = { ...subject, shape: truth.shape, torchError, measure };
  const nothing = {
    ...base,
    error: null,
    mean: null,
    ulps: null,
    allowed: tolerance.atol ?? 0,
    used: Number.POSITIVE_INFINITY,
  };
  if ('status' in computed) return { ...nothing, status: computed.status, note: computed.note };
  if (String(computed.shape) !== String(truth.shape)) {
    return { ...nothing, status: 'SHAPE', note: `got [${computed.shape}], expected [${truth.shape}]` };
  }
  const found = compare(truth.data, computed.data, tolerance, torchError, counts);
  const { error, used, allowed } = measured(found, measure, tolerance);
  const row = { ...base, error, mean: found.mean, used, allowed, ulps: found.maxUlps };
  if (used <= 1) return { ...row, status: 'OK', note: '' };
  return { ...row, status: 'DIFF', note: describeComparison(found, truth.shape, truth.data, computed.data) };
}

function measured(found: Comparison, measure: 'max' | 'mean', { atol = 0 }: Tolerance) {
  if (measure === 'max') return { error: found.maxAbs, used: found.used, allowed: found.allowed };
  const used = found.mean === 0 ? 0 : found.mean / atol;
  return { error: found.mean, used, allowed: atol };
}

function judgePromise({ subject, broken }: Promised): Row {
  const base = {
    ...subject,
    shape: [],
    error: null,
    mean: null,
    torchError: null,
    ulps: null,
    allowed: 0,
    measure: 'max',
  } as const;
  if (broken === null) return { ...base, used: 0, status: 'OK', note: '' };
  const why = typeof broken === 'string' ? ({ status: 'DIFF', note: broken } as const) : broken;
  return { ...base, used: Number.POSITIVE_INFINITY, ...why };
}
