/** Measures a case on the backend in use. */
import { Bench } from 'tinybench';
import { getBackend, scope } from '../src/index.ts';
import type { BenchCase, Work } from './case.ts';
import { matmul } from './kernels/matmul.ts';
import type { Roofline } from './roofline/kernels.ts';

export interface Budget {
  /** Measuring time of a case; it gets at least three samples, however long they take. */
  readonly seconds: number;
  /** A case of which one call takes more seconds is skipped. */
  readonly limit: number;
}

export interface Measured {
  readonly backend: string;
  /** Milliseconds of one call: median and fastest. */
  readonly median: number;
  readonly min: number;
  /** Half of the 95 % interval of the mean, in percent of it. */
  readonly margin: number;
  readonly samples: number;
  /** How much of what the machine can do at most, 0.5 being half; absent where no roofline is known. */
  readonly ofLimit?: number;
}

export interface Skipped {
  readonly backend: string;
  /** Why. */
  readonly skipped: string;
}

export type Row = Measured | Skipped;

const MIN_SAMPLES = 3;

/** @param label what the row is called. The first call, which compiles and warms up, is never a sample. @throws what the case throws */
export async function measure(
  { name, prepare }: BenchCase,
  { seconds, limit }: Budget,
  backend: string = getBackend().name,
): Promise<Row> {
  return scope(async (): Promise<Row> => {
    const { call, dispose } = prepare();
    try {
      const start = performance.now();
      const first = call();
      const async = first instanceof Promise;
      await first;
      const once = (performance.now() - start) / 1000;
      if (once > limit) return { backend, skipped: tooSlow(once) };
      const bench = new Bench({
        time: 1000 * seconds,
        iterations: MIN_SAMPLES,
        warmup: once < seconds / 2,
        warmupTime: 250 * seconds,
        warmupIterations: 1,
        throws: true,
      });
      bench.add(name, call, { async });
      const [{ result }] = await bench.run();
      if (!('latency' in result))
        throw new Error(`${name} on ${backend}: tinybench ended as ${result.state}`);
      const { p50: median, min, rme: margin, samplesCount: samples } = result.latency;
      return { backend, median, min, margin, samples };
    } finally {
      await dispose?.();
    }
  });
}

/** Operations per second of the fastest small matrix product here: tells beforehand what will surely take too long. */
export async function flopRate(budget: Budget): Promise<number> {
  const probe = matmul(256, 256, 256);
  const row = await measure(probe, { ...budget, seconds: Math.min(0.1, budget.seconds) });
  return 'median' in row ? (1000 * probe.work.amount) / row.min : 0;
}

/** The row of a case that would take too long at this rate, without running it; null where it would not. */
export function foreseen(
  { work }: BenchCase,
  { limit }: Budget,
  rate: number,
  backend: string = getBackend().name,
): Skipped | null {
  const once = work.unit === 'FLOP' ? work.amount / rate : 0;
  return once > limit ? { backend, skipped: tooSlow(once) } : null;
}

/** The row with its share of the roofline. */
export function againstLimit(row: Row, work: Work, roofline: Roofline): Row {
  const limit = limitOf(work, roofline);
  if ('skipped' in row || limit === null) return row;
  return { ...row, ofLimit: (1000 * work.amount) / row.median / limit };
}

/** Operations or bytes per second at most; null for whole steps. */
export function limitOf({ unit, bound }: Work, roofline: Roofline): number | null {
  if (unit === 'step') return null;
  return unit === 'FLOP' ? roofline.flops : roofline[bound ?? 'copy'];
}

const tooSlow = (seconds: number) => `one call takes about ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
