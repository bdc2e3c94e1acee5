/**
 * The rows of a report as they lie in its page: JSON in a script element. JSON has no NaN and Infinity, they are spelled;
 * and the element must not end early, so no "<" is left in it.
 */
import type { Row, Status } from '../row.ts';
import type { PackedReport, PackedRow, Spelled } from './page/packed.ts';
import { CHECKS, isWorseThanTorch, type Report, torchRatio } from './report.ts';

const STATUSES: readonly Status[] = ['OK', 'DIFF', 'SHAPE', 'MISSING'];

export function packReport({ sections }: Report): PackedReport {
  return {
    sections: sections.map(({ title, backend, dtype }) => [title, backend, dtype]),
    checks: CHECKS,
    statuses: STATUSES,
    rows: sections.flatMap(({ rows, dtype }, i) => rows.map((row) => packRow(row, i, dtype))),
  };
}

function packRow(row: Row, section: number, dtype: string): PackedRow {
  const { of, name, check, shape, error, torchError, ulps, allowed, used, measure, status, note } = row;
  return [
    section,
    of,
    name,
    CHECKS.indexOf(check),
    shape,
    spell(error),
    spell(torchError),
    spell(torchRatio(row, dtype)),
    Number(isWorseThanTorch(row, dtype)),
    spell(ulps),
    spell(allowed),
    spell(used),
    Number(measure === 'mean'),
    STATUSES.indexOf(status),
    note,
  ];
}

function spell(x: number): Spelled;
function spell(x: number | null): Spelled | null;
function spell(x: number | null): Spelled | null {
  return x === null || Number.isFinite(x) ? x : (String(x) as Spelled);
}

/** JSON that can stand in a script element, and in JavaScript. */
export function scriptJson(value: unknown): string {
  const escaped = (character: string): string =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[<>\u2028\u2029]/g, escaped);
}
