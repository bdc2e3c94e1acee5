/** Medians, ratios, and the tables of the comparison as text and as Markdown. */
import { table } from '../../src/cli/table.ts';
import { threadLabel } from '../contestants.ts';
import { limitOf } from '../measure.ts';
import { headline, type Machine, rate, rooflineLine, significant } from '../report.ts';
import type { Roofline } from '../roofline/kernels.ts';
import { type Cell, type Measured, OURS } from './compare.ts';
import { NAMES, type Name, PEERS } from './contestants.ts';
import { median } from './median.ts';
import type { RowCase } from './rows.ts';

export interface Result {
  readonly row: RowCase;
  readonly cells: readonly Cell[];
}

export interface Report {
  readonly machine: Machine;
  /** Of the engine's SIMD, by the number of threads. */
  readonly rooflines: readonly { readonly threads: number; readonly roofline: Roofline }[];
  readonly rounds: number;
  readonly seconds: number;
  readonly results: readonly Result[];
  /** Who is left out, and why. */
  readonly notes: readonly string[];
}

const isMeasured = (cell: Cell | undefined): cell is Measured => cell !== undefined && 'rounds' in cell;
const timeOf = (cell: Measured): number => median(cell.rounds);

function find({ cells }: Result, name: string, threads: number): Cell | undefined {
  return cells.find((cell) => cell.name === name && cell.threads === threads);
}

/** How many times our time a contestant takes on as many threads: above 1 this library is faster. */
export function ratio(result: Result, { name, threads }: Pick<Cell, 'name' | 'threads'>): number | null {
  const [ours, theirs] = [find(result, OURS, threads), find(result, name, threads)];
  return isMeasured(ours) && isMeasured(theirs) ? timeOf(theirs) / timeOf(ours) : null;
}

const times = (x: number | null): string => (x === null ? '' : `${significant(x)}×`);

/** One row as it is known, for a terminal. */
export function rowTable(result: Result): string[] {
  const head = ['', 'threads', 'ms', 'rounds', 'rate', '/ ours'];
  const measured = result.cells.filter(isMeasured);
  const lines = measured.map((cell) => [
    cell.name,
    String(cell.threads),
    significant(timeOf(cell)),
    `${significant(Math.min(...cell.rounds))}–${significant(Math.max(...cell.rounds))}`,
    rate(result.row.work, timeOf(cell)),
    cell.name === OURS ? '' : times(ratio(result, cell)),
  ]);
  const absent = result.cells.flatMap((cell) =>
    'absent' in cell ? [`${cell.name}, ${threadLabel(cell.threads)}: ${cell.absent}`] : [],
  );
  const shown = lines.length === 0 ? [] : table([head, ...lines], [1, 2, 3, 4, 5]);
  return [result.row.name, ...[...shown, ...absent].map((line) => `  ${line}`)];
}

function ourCell(result: Result, threads: number, roofline: Roofline | undefined): string {
  const cell = find(result, OURS, threads);
  if (!isMeasured(cell)) return '–';
  const { work } = result.row;
  const limit = roofline === undefined ? null : limitOf(work, roofline);
  const share =
    limit === null ? '' : ` (${significant((100 * ((1000 * work.amount) / timeOf(cell))) / limit)} %)`;
  return `**${significant(timeOf(cell))}** · ${rate(work, timeOf(cell))}${share}`;
}

function theirCell(result: Result, name: Name, threads: number): string {
  const cell = find(result, name, threads);
  return isMeasured(cell) ? `${significant(timeOf(cell))} · ${times(ratio(result, cell))}` : '–';
}

function threadTable(report: Report, threads: number): string[] {
  const { results, rooflines } = report;
  const roofline = rooflines.find((one) => one.threads === threads)?.roofline;
  const peers = NAMES.filter(
    (name) => name !== OURS && results.some((result) => isMeasured(find(result, name, threads))),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `### ${threadLabel(threads)[0].toUpperCase()}${threadLabel(threads).slice(1)}`,
    '',
    ...(roofline === undefined ? [] : [`The ${rooflineLine('the SIMD of this engine', roofline)}.`, '']),
    line(['', `${OURS}: ms · rate (of limit)`, ...peers.map((name) => `${PEERS[name].title}: ms · ÷ ours`)]),
    line(['---', '---:', ...peers.map(() => '---:')]),
    ...results.map((result) =>
      line([
        result.row.name,
        ourCell(result, threads, roofline),
        ...peers.map((name) => theirCell(result, name, threads)),
      ]),
    ),
    '',
  ];
}

/** Reasons why cells are empty: "has no GELU (GELU (erf))" of each peer. */
function reasons({ results }: Report, name: Name): string[] {
  const rows = new Map<string, Set<string>>();
  for (const { row, cells } of results) {
    for (const cell of cells) {
      if (cell.name !== name || !('absent' in cell)) continue;
      const known = rows.get(cell.absent) ?? new Set<string>();
      rows.set(cell.absent, known.add(row.name));
    }
  }
  return [...rows].map(([why, names]) => `${why} (${[...names].join('; ')})`);
}

export function markdown(report: Report): string {
  const counts = [...new Set(report.results.flatMap(({ cells }) => cells.map(({ threads }) => threads)))];
  const names = NAMES.filter((name) =>
    report.results.some(({ cells }) => cells.some((cell) => cell.name === name)),
  );
  const peers = names.map((name) => {
    const { title, settings, single } = PEERS[name];
    const parts = [settings, ...(single === undefined ? [] : [`one thread: ${single}`])];
    const missing = reasons(report, name);
    return `- ${title}: ${[...parts, ...(missing.length > 0 ? [`no figures: ${missing.join(', ')}`] : [])].join('; ')}.`;
  });
  return [
    `${headline(report.machine)}. Medians of ${report.rounds} rounds, each the median of the calls in ` +
      `${report.seconds} s. A figure such as 2.00× says that the other takes twice our time.`,
    '',
    ...counts.flatMap((threads) => threadTable(report, threads)),
    ...peers,
    ...report.notes.map((note) => `- ${note}.`),
    '',
  ].join('\n');
}
