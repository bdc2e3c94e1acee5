/** bench-gpu.json, and the same in words. */
import { table } from '../../src/cli/table.ts';
import type { Work } from '../case.ts';
import { type Cell, OURS } from '../peers/compare.ts';
import { median } from '../peers/median.ts';
import type { RowCase } from '../peers/rows.ts';
import { type Machine, rate, significant } from '../report.ts';
import { type AdapterReport, adapterLine, TOLD_LIMITS } from './adapter.ts';
import type { Attempt, HostName } from './host.ts';
import type { Verified } from './verification.ts';

export interface GpuReport {
  /** Counts up when a field changes its meaning. */
  readonly schema: 'cogvlm-ts bench-gpu 1';
  /** ISO 8601 */
  readonly made: string;
  /** Of the whole run, and how many it was given. */
  readonly seconds: number;
  readonly secondsGiven: number;
  readonly machine: Machine;
  /** A line for each GPU, of `nvidia-smi`; empty where there is none. */
  readonly nvidia: readonly string[];
  readonly host: { readonly name: HostName; readonly description: string };
  readonly adapter: AdapterReport;
  /** Where a GPU was looked for, in this order; the last is the host. */
  readonly attempts: readonly Attempt[];
  /** Golden folders against PyTorch, computed on the GPU in float32. */
  readonly verify: readonly Verified[];
  readonly timing: { readonly rounds: number; readonly seconds: number };
  readonly rows: readonly GpuRow[];
  /** What was not done, and why. */
  readonly skipped: readonly Skip[];
}

export interface GpuRow {
  readonly name: string;
  readonly work: Work;
  /** Largest difference from this library's results, in parts of the largest of them, that counts as the same. */
  readonly tolerance: number;
  readonly cells: readonly GpuCell[];
}

export type GpuCell = Timed | { readonly name: string; readonly absent: string };

export interface Timed {
  readonly name: string;
  /** Milliseconds from asking for a result until it is known to be there: median of the rounds, and fastest. */
  readonly ms: number;
  readonly min: number;
  /** The median of each round. */
  readonly rounds: readonly number[];
  readonly samples: number;
  /** How many times this library's time; null where that is not known. */
  readonly timesOurs: number | null;
}

export interface Skip {
  readonly what: string;
  readonly why: string;
}

export function gpuRow({ name, work, tolerance }: RowCase, cells: readonly Cell[]): GpuRow {
  const ours = cells.find((cell) => cell.name === OURS);
  const ourTime = ours !== undefined && 'rounds' in ours ? median(ours.rounds) : null;
  const timed = cells.map((cell): GpuCell => {
    if ('absent' in cell) return { name: cell.name, absent: cell.absent };
    const ms = median(cell.rounds);
    const { min, rounds, samples } = cell;
    return { name: cell.name, ms, min, rounds, samples, timesOurs: ourTime === null ? null : ms / ourTime };
  });
  return { name, work, tolerance, cells: timed };
}

export function rowLines({ name, work, cells }: GpuRow): string[] {
  const timed = cells.filter((cell) => 'ms' in cell);
  const lines = timed.map((cell) => [
    cell.name,
    significant(cell.ms),
    `${significant(Math.min(...cell.rounds))}–${significant(Math.max(...cell.rounds))}`,
    rate(work, cell.ms),
    cell.name === OURS || cell.timesOurs === null ? '' : `${significant(cell.timesOurs)}×`,
  ]);
  const absent = cells.flatMap((cell) => ('absent' in cell ? [`${cell.name}: ${cell.absent}`] : []));
  const shown =
    lines.length === 0 ? [] : table([['', 'ms', 'rounds', 'rate', '/ ours'], ...lines], [1, 2, 3, 4]);
  return [name, ...[...shown, ...absent].map((line) => `  ${line}`)];
}

export function adapterLines(adapter: AdapterReport): string[] {
  const limits = TOLD_LIMITS.map((name) => `${name} ${adapter.limits[name] ?? 'unknown'}`);
  return [
    `adapter: ${adapterLine(adapter)}`,
    `  limits: ${limits.join(', ')}`,
    `  features: ${adapter.features.join(', ')}`,
  ];
}

export function verifiedLine({ folder, results, ok, medianTorchRatio, seconds, notOk }: Verified): string {
  const error =
    medianTorchRatio === null ? '' : `, median error ${medianTorchRatio.toPrecision(2)} × PyTorch's`;
  const names = notOk.slice(0, 3).map(({ name }) => name);
  const bad = notOk.length === 0 ? '' : `; not: ${names.join(', ')}${notOk.length > 3 ? ', …' : ''}`;
  return `verify ${folder}: ${ok} of ${results} agree${error}, ${seconds.toFixed(1)} s${bad}`;
}
