/** One row on all contestants: each behind a channel of its own, sampled in turn for several rounds. */
import { type Channel, prepare, sample } from './channel.ts';
import { median } from './median.ts';
import type { Kind, RowCase } from './rows.ts';

/** This library; the others' results are held against its. */
export const OURS = 'cogvlm-ts';

export interface Contestant {
  readonly name: string;
  readonly threads: number;
  /** Rows it cannot do, and why. */
  readonly absent: Partial<Readonly<Record<Kind, string>>>;
  /** Starts it. @throws Error where it is not to be had */
  open(): Channel;
}

export interface Measured {
  readonly name: string;
  readonly threads: number;
  /** Milliseconds of a call: the median of each round. */
  readonly rounds: readonly number[];
  /** The shortest of all samples. */
  readonly min: number;
  readonly samples: number;
}

export interface Absent {
  readonly name: string;
  readonly threads: number;
  readonly absent: string;
}

export type Cell = Measured | Absent;

export interface Plan {
  readonly rounds: number;
  /** Measuring time of a contestant in a round. */
  readonly seconds: number;
  /** A contestant of which a call takes longer is left out. */
  readonly limit: number;
  /** The first call compiles so much that it says nothing of the others. */
  readonly compiles?: boolean;
}

/** Calls that take longer are sampled once; those three times as long are not even called a second time. */
const SLOW_MS = 3000;
/** Starting a process and compiling are not what the limit is about. */
const START_SECONDS = 30;

interface Entry {
  readonly contestant: Contestant;
  readonly channel: Channel;
  readonly first: number;
  readonly rounds: number[];
  readonly samples: number[];
}

/** Why results are not those of the same computation; null where they are. */
export function difference(
  ours: readonly number[],
  theirs: readonly number[],
  tolerance: number,
): string | null {
  if (ours.length !== theirs.length) return `answers ${theirs.length} results, not ${ours.length}`;
  const scale = Math.max(...ours.map(Math.abs));
  const off = Math.max(...ours.map((x, i) => Math.abs(x - theirs[i]))) / scale;
  return off <= tolerance
    ? null
    : `computes something else: off by ${off.toExponential(1)} of the largest result`;
}

/** Operations per second of what has been measured so far: tells what will take too long. */
export class Rates {
  readonly #rates = new Map<string, number>();

  /** Seconds a call will take; 0 where nothing is known. */
  foresee({ work }: RowCase, { name, threads }: Contestant): number {
    const rate = this.#rates.get(`${name} ${threads}`);
    return work.unit === 'FLOP' && rate !== undefined ? work.amount / rate : 0;
  }

  note({ work }: RowCase, cell: Cell): void {
    if ('absent' in cell || work.unit !== 'FLOP') return;
    this.#rates.set(`${cell.name} ${cell.threads}`, (1000 * work.amount) / median(cell.rounds));
  }
}

/** @param tell what is being done, for a progress line */
export async function compare(
  row: RowCase,
  contestants: readonly Contestant[],
  plan: Plan,
  rates: Rates,
  tell: (what: string) => void,
): Promise<Cell[]> {
  const cells = new Map<Contestant, Cell>();
  const entries: Entry[] = [];
  const drop = (contestant: Contestant, why: string) => {
    const { name, threads } = contestant;
    cells.set(contestant, { name, threads, absent: why });
  };
  let truth: readonly number[] | null = null;
  try {
    for (const contestant of contestants) {
      const seconds = rates.foresee(row, contestant);
      const slow = seconds > plan.limit ? `a call would take about ${Math.round(seconds)} s` : undefined;
      const reason = contestant.absent[row.spec.kind] ?? slow;
      if (reason !== undefined) {
        drop(contestant, reason);
        continue;
      }
      tell(`${row.name}: ${contestant.name}, ${contestant.threads}`);
      let channel: Channel | undefined;
      try {
        channel = contestant.open();
        const { first, check } = await prepare(channel, row.spec, START_SECONDS + plan.limit);
        if (contestant.name === OURS) truth ??= check;
        const wrong = check && truth && difference(truth, check, row.tolerance);
        if (wrong) throw new Error(wrong);
        entries.push({ contestant, channel, first, rounds: [], samples: [] });
      } catch (error) {
        channel?.stop();
        drop(contestant, (error as Error).message);
      }
    }
    for (let round = 0; round < plan.rounds; round++) {
      tell(`${row.name}: round ${round + 1}`);
      for (const entry of entries) await sampleRound(entry, round, plan, drop);
    }
  } finally {
    for (const { channel } of entries) channel.stop();
  }
  for (const { contestant, rounds, samples } of entries) {
    if (cells.has(contestant)) continue;
    const { name, threads } = contestant;
    const min = samples.reduce((a, b) => Math.min(a, b));
    cells.set(contestant, { name, threads, rounds, min, samples: samples.length });
  }
  const found = contestants.flatMap((contestant) => cells.get(contestant) ?? []);
  for (const cell of found) rates.note(row, cell);
  return found;
}

/** A call that takes long is not repeated; a first one may have taken long because it compiled. */
async function sampleRound(
  { contestant, channel, first, rounds, samples }: Entry,
  round: number,
  { seconds, limit, compiles }: Plan,
  drop: (contestant: Contestant, why: string) => void,
): Promise<void> {
  const found: number[] = [];
  const wait = 4 * limit;
  try {
    if (round === 0 && first > 3 * SLOW_MS && !compiles) found.push(first);
    else if (round === 0 && first > SLOW_MS)
      found.push(...(await sample(channel, { seconds: 0, least: 1, warm: false }, wait)));
    const last = found.at(-1) ?? samples.at(-1) ?? 0;
    if (last <= SLOW_MS) found.push(...(await sample(channel, { seconds, least: 3, warm: true }, wait)));
  } catch (error) {
    if (samples.length + found.length === 0) drop(contestant, (error as Error).message);
  }
  if (found.length === 0) return;
  samples.push(...found);
  rounds.push(median(found));
}
