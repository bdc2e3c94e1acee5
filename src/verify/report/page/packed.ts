/** The rows of a report as they come to the page, and as it works with them. JSON has no NaN and Infinity: they are spelled. */
import type { Check, Status } from '../../row.ts';

export type Spelled = number | 'NaN' | 'Infinity' | '-Infinity';

/** section, of, name, check, shape, error, PyTorch's, ratio, worse (0, 1), ulps, allowed, used, mean (0, 1), status, note. */
export type PackedRow = readonly [
  section: number,
  of: string,
  name: string,
  check: number,
  shape: readonly number[],
  error: Spelled | null,
  torchError: Spelled | null,
  ratio: Spelled | null,
  worse: number,
  ulps: Spelled | null,
  allowed: Spelled,
  used: Spelled,
  mean: number,
  status: number,
  note: string,
];

export interface PackedReport {
  /** Title, backend, dtype. */
  readonly sections: readonly (readonly [string, string, string])[];
  readonly checks: readonly Check[];
  readonly statuses: readonly Status[];
  readonly rows: readonly PackedRow[];
}

/** A row of the page's table. */
export interface PageRow {
  readonly section: string;
  readonly backend: string;
  readonly dtype: string;
  readonly of: string;
  readonly name: string;
  readonly check: Check;
  /** "[2,3]" */
  readonly shape: string;
  readonly elements: number;
  readonly error: number | null;
  readonly torchError: number | null;
  readonly ratio: number | null;
  /** Than twice PyTorch and 2 units in the last place. */
  readonly worse: boolean;
  readonly ulps: number | null;
  readonly allowed: number;
  readonly used: number;
  readonly mean: boolean;
  readonly status: Status;
  readonly note: string;
  /** What is searched, in lower case. */
  readonly text: string;
}

export function unpackRows({ sections, checks, statuses, rows }: PackedReport): PageRow[] {
  const number = (x: Spelled | null) => (x === null ? null : Number(x));
  return rows.map((packed) => {
    const [s, of, name, check, sizes, error, torchError, ratio, worse, ulps, allowed, used, mean] = packed;
    const [section, backend, dtype] = sections[s];
    const shape = sizes.length === 0 && error === null ? '' : `[${sizes.join(',')}]`;
    const status = statuses[packed[13]];
    const note = packed[14];
    const searched = [section, backend, dtype, of, name, checks[check], shape, status, note];
    return {
      section,
      backend,
      dtype,
      of,
      name,
      check: checks[check],
      shape,
      elements: sizes.reduce((n, size) => n * size, 1),
      error: number(error),
      torchError: number(torchError),
      ratio: number(ratio),
      worse: worse === 1,
      ulps: number(ulps),
      allowed: Number(allowed),
      used: Number(used),
      mean: mean === 1,
      status,
      note,
      text: searched.join('\n').toLowerCase(),
    };
  });
}
