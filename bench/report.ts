/** What the bench says: the machine, a table for each case, and all of it as JSON. */
import { cpus, loadavg } from 'node:os';
import { table } from '../src/cli/table.ts';
import type { Work } from './case.ts';
import type { Row } from './measure.ts';
import type { Roofline } from './roofline/kernels.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Of the last minute, before the bench: much above 0 says that others were at work. */
  readonly load: number;
  readonly node: string;
  readonly platform: string;
}

export interface CaseReport {
  readonly case: string;
  readonly work: Work;
  readonly rows: readonly Row[];
}

export function machine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown CPU',
    cores: cores.length,
    load: loadavg()[0],
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

export function headline({ cpu, cores, load, node, platform }: Machine): string {
  return `${cpu}, ${cores} cores, load ${load.toFixed(1)}, ${platform}, Node ${node}`;
}

const HEAD = ['backend', 'median ms', '±', 'samples', 'rate', '/ cpu', '/ fastest', 'of limit'];

/** Medians against that of the cpu backend and against the shortest: 0.1 is a tenth of the time. */
export function caseTable({ case: name, work, rows }: CaseReport): string[] {
  const medians = rows.flatMap((row) => ('median' in row ? [row.median] : []));
  const cpu = rows.find((row) => row.backend === 'cpu');
  const fastest = Math.min(...medians);
  const cells = rows.map((row) => {
    if ('skipped' in row) return [row.backend, `skipped: ${row.skipped}`];
    return [
      row.backend,
      significant(row.median),
      `${row.margin.toFixed(1)} %`,
      String(row.samples),
      rate(work, row.median),
      cpu !== undefined && 'median' in cpu ? significant(row.median / cpu.median) : '',
      significant(row.median / fastest),
      row.ofLimit === undefined ? '' : `${significant(100 * row.ofLimit)} %`,
    ];
  });
  const isMeasured = (row: readonly string[]) => row.length === HEAD.length;
  // What was skipped says why below the columns, so that it does not widen them.
  const lines = table([HEAD, ...cells.filter(isMeasured)], [1, 2, 3, 4, 5, 6, 7]);
  const skipped = cells.filter((row) => !isMeasured(row)).map((row) => row.join('  '));
  return [name, ...(medians.length > 0 ? lines : []), ...skipped].map((line, i) =>
    i === 0 ? line : `  ${line}`,
  );
}

/** What this machine can do at most, in words. */
export function rooflineLine(name: string, { flops, read, copy, near }: Roofline): string {
  const giga = (x: number) => significant(x / 1e9);
  return (
    `limit of ${name}: ${giga(flops)} GFLOP/s; memory ${giga(read)} GB/s read, ${giga(copy)} GB/s copied ` +
    `(read + written); second-level cache ${giga(near)} GB/s read`
  );
}

export function rate({ unit, amount }: Work, ms: number): string {
  const perSecond = (1000 * amount) / ms;
  if (unit === 'step') return `${significant(perSecond)} steps/s`;
  return `${significant(perSecond / 1e9)} G${unit === 'FLOP' ? 'FLOP' : 'B'}/s`;
}

/** Three digits, and never fewer than those before the point. */
export function significant(x: number): string {
  return x >= 100 ? String(Math.round(x)) : x.toPrecision(3);
}
