/**
 * All that was checked, in sections, and what it comes to: how many rows are OK, which one is nearest to what is allowed,
 * and how float32 errors stand beside PyTorch's own.
 */
import type { Check, Row } from '../row.ts';

export interface ReportSection {
  /** "ops", "modules", "cogvlm", "onnx", "training", "properties", "planted faults", "mutants". */
  readonly title: string;
  /** "cpu", "wasm", …; '' where none has a part in it. */
  readonly backend: string;
  /** "float64", "float32" or ''. */
  readonly dtype: string;
  readonly rows: readonly Row[];
  readonly seconds: number;
}

export interface Report {
  readonly title: string;
  /** ISO date. */
  readonly made: string;
  /** Processor, engine, what the backends say of themselves. */
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly sections: readonly ReportSection[];
}

/** In the order in which they are shown. */
export const CHECKS: readonly Check[] = [
  'value',
  'gradient',
  'gradcheck',
  'definition',
  'error text',
  'training',
  'property',
];

/** Errors below this are rounding of the stored truth, not of the computation. */
const TRUTH_ROUNDING = 1e-12;

/** Errors of float32 rows as multiples of PyTorch's own float32 error in the same tensor. */
export interface TorchRatios {
  /** Rows that have a ratio. */
  readonly rows: number;
  /** Of them, rows where PyTorch's own error is more than rounding of the truth; the three figures are theirs. */
  readonly counted: number;
  readonly median: number | null;
  /** 90 % of the ratios are at most this, one of them (nearest rank). */
  readonly p90: number | null;
  readonly max: number | null;
  /** Names of the rows for which `isWorseThanTorch`. */
  readonly worse: readonly string[];
}

export interface CheckSummary {
  readonly check: Check;
  readonly rows: number;
  readonly ok: number;
  /** The row that uses the largest part of its allowance. */
  readonly worst: { readonly name: string; readonly used: number };
  /** Null where no row has a ratio. */
  readonly torch: TorchRatios | null;
}

export interface SectionSummary {
  readonly section: ReportSection;
  readonly rows: number;
  readonly ok: number;
  /** Only those that have rows. */
  readonly checks: readonly CheckSummary[];
}

export interface ReportSummary {
  /** Every row is OK, and no section is empty: nothing checked is nothing shown. */
  readonly ok: boolean;
  readonly rows: number;
  readonly okRows: number;
  readonly sections: readonly SectionSummary[];
}

const orInfinity = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x);

/** Whether the ratio of a row says something: PyTorch's own error is more than the rounding of the stored truth. */
export function isRatioCounted({ torchError }: Row): boolean {
  return torchError !== null && torchError >= TRUTH_ROUNDING;
}

/**
 * The error of a float32 row over PyTorch's own; null for other rows, for means (PyTorch's is a maximum), and where
 * either is not known. 0 where both are no more than rounding of the truth.
 */
export function torchRatio({ error, torchError, measure }: Row, dtype: string): number | null {
  if (dtype !== 'float32' || measure !== 'max' || error === null) return null;
  if (torchError === null || !Number.isFinite(torchError)) return null;
  if (torchError < TRUTH_ROUNDING && error < TRUTH_ROUNDING) return 0;
  return orInfinity(error) / torchError;
}

/**
 * Largest error above twice PyTorch's, and more than 2 units in the last place somewhere. The two may be of two elements,
 * so a row can be so and yet OK: the verdict takes each element by itself.
 */
export function isWorseThanTorch(row: Row, dtype: string): boolean {
  const ratio = torchRatio(row, dtype);
  return ratio !== null && ratio > 2 && orInfinity(row.ulps ?? Number.NaN) > 2;
}

export function summarizeReport({ sections }: Report): ReportSummary {
  const summaries = sections.map(summarizeSection);
  return {
    ok: summaries.length > 0 && summaries.every(({ rows, ok }) => rows > 0 && ok === rows),
    rows: sum(summaries.map(({ rows }) => rows)),
    okRows: sum(summaries.map(({ ok }) => ok)),
    sections: summaries,
  };
}

function summarizeSection(section: ReportSection): SectionSummary {
  const { rows, dtype } = section;
  const present = CHECKS.filter((check) => rows.some((row) => row.check === check));
  return {
    section,
    rows: rows.length,
    ok: countOk(rows),
    checks: present.map((check) =>
      summarizeCheck(
        check,
        rows.filter((row) => row.check === check),
        dtype,
      ),
    ),
  };
}

function summarizeCheck(check: Check, rows: readonly Row[], dtype: string): CheckSummary {
  let worst = { name: rows[0].name, used: orInfinity(rows[0].used) };
  for (const { name, used } of rows) {
    if (orInfinity(used) > worst.used) worst = { name, used: orInfinity(used) };
  }
  return { check, rows: rows.length, ok: countOk(rows), worst, torch: torchRatios(rows, dtype) };
}

/** Null where no row has a ratio. */
export function torchRatios(rows: readonly Row[], dtype: string): TorchRatios | null {
  const withRatio = rows.filter((row) => torchRatio(row, dtype) !== null);
  if (withRatio.length === 0) return null;
  const ratios = withRatio.filter(isRatioCounted).map((row) => torchRatio(row, dtype) ?? 0);
  ratios.sort((a, b) => a - b);
  return {
    rows: withRatio.length,
    counted: ratios.length,
    median: median(ratios),
    p90: ratios[Math.ceil(0.9 * ratios.length) - 1] ?? null,
    max: ratios.at(-1) ?? null,
    worse: rows.filter((row) => isWorseThanTorch(row, dtype)).map(({ name }) => name),
  };
}

/** What the rows of one golden folder come to. */
export interface Summary {
  readonly ok: number;
  readonly bad: number;
  /** Largest error as a part of what is allowed. */
  readonly worst: { readonly name: string; readonly ratio: number } | null;
  /** Median over the tensors for which PyTorch's own float32 error is known and not 0; in float64, too. */
  readonly medianTorchRatio: number | null;
}

export function summarize({ rows }: { readonly rows: readonly Row[] }): Summary {
  let worst: Summary['worst'] = null;
  for (const { name, error, used } of rows)
    if (error !== null && (worst === null || used > worst.ratio)) worst = { name, ratio: used };
  const ratios = rows.flatMap((row) => {
    const { error, torchError } = row;
    return error === null || torchError === null || !isRatioCounted(row) ? [] : [error / torchError];
  });
  const ok = countOk(rows);
  return { ok, bad: rows.length - ok, worst, medianTorchRatio: median(ratios) };
}

/** The mean of the two in the middle where they are an even number; null of none. */
export function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const countOk = (rows: readonly Row[]): number => rows.filter(({ status }) => status === 'OK').length;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
