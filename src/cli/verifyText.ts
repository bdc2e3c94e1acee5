/** What `cogvlm verify` prints of a golden folder, and writes as JSON. */
import type { FolderReport, Row, Summary } from '../verify/index.ts';
import { paint, type Session } from './io.ts';
import { table } from './table.ts';

export interface VerifiedFolder extends FolderReport {
  /** Name of the backend that computed it. */
  readonly backend: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly summary: Summary;
}

const HEAD = ['result', 'shape', 'error', "PyTorch's", 'status'];

/**
 * A table of rows, why those that are not OK are not, and a line that sums up.
 * @param quiet leaves out rows that are OK
 */
export function folderText(session: Session, result: VerifiedFolder, quiet: boolean, dtype: string): string {
  const rows = quiet ? result.rows.filter(({ status }) => status !== 'OK') : result.rows;
  const lines: string[] = [];
  if (rows.length > 0) {
    const [head, ...body] = table([HEAD, ...rows.map(cells)], [2, 3]);
    lines.push(paint(session, 'dim', head));
    for (const [i, line] of body.entries()) {
      const { status, note } = rows[i];
      lines.push(status === 'OK' ? line : paint(session, 'red', line));
      if (note !== '') lines.push(`    ${note}`);
    }
  }
  const { ok, bad, worst, medianTorchRatio } = result.summary;
  const verdict = paint(session, result.ok ? 'green' : 'red', result.ok ? 'OK' : 'NOT OK');
  const parts = [
    `${result.folder}: ${verdict}`,
    `${ok} of ${ok + bad} results agree`,
    medianTorchRatio === null
      ? ''
      : `median error ${medianTorchRatio.toPrecision(2)} × PyTorch's float32 error`,
    worst === null ? '' : `worst ${worst.name} at ${worst.ratio.toPrecision(2)} of what is allowed`,
    `${dtype} on ${result.backend}`,
    `${result.seconds.toFixed(1)} s`,
  ];
  lines.push(parts.filter((part) => part !== '').join(' · '));
  return `${lines.join('\n')}\n`;
}

function cells({ name, shape, error, torchError, status, measure }: Row): string[] {
  return [
    name,
    `[${shape.join(',')}]`,
    measure === 'mean' ? `mean ${scientific(error)}` : scientific(error),
    scientific(torchError),
    status,
  ];
}

export function scientific(error: number | null): string {
  if (error === null) return '-';
  return error === 0 ? '0' : error.toExponential(2);
}

/** JSON has no Infinity and NaN; they are written as texts. */
export function jsonText(value: unknown): string {
  const spelled = (_: string, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v);
  return `${JSON.stringify(value, spelled, 2)}\n`;
}
