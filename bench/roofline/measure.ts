/** Measures the roofline on one or several threads. (Node only) */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { MEASURED, type Measurements, measurements, type Roofline } from './kernels.ts';
import { ROUNDS, type Shared } from './protocol.ts';

/** What the work comes to in all threads together: the best round, a round being as long as its slowest thread. */
export function best(amount: number, rounds: readonly (readonly number[])[]): number {
  return Math.max(...rounds.map((times) => (amount * times.length) / (Math.max(...times) / 1000)));
}

/** @param relaxed fused multiply-add. Takes about two seconds. */
export async function measureRoofline(threads: number, relaxed: boolean): Promise<Roofline> {
  // Both lie beside the bundle, where run.mjs puts them.
  const module = new URL(relaxed ? 'roofline-relaxed.wasm' : 'roofline.wasm', import.meta.url);
  const bytes = new Uint8Array(await readFile(module));
  const arrived = new SharedArrayBuffer(4);
  const times = new SharedArrayBuffer(8 * MEASURED.length * ROUNDS * threads);
  const running = Array.from({ length: threads }, async (_, thread) => {
    const workerData: Shared = { bytes, thread, threads, arrived, times };
    await once(new Worker(new URL('roofline-worker.mjs', import.meta.url), { workerData }), 'exit');
  });
  await Promise.all(running);
  const milliseconds = [...new Float64Array(times)];
  const amounts = measurements(bytes);
  const rate = (name: keyof Measurements) =>
    best(
      amounts[name].amount,
      Array.from({ length: ROUNDS }, (_, round) => {
        const at = (MEASURED.indexOf(name) * ROUNDS + round) * threads;
        return milliseconds.slice(at, at + threads);
      }),
    );
  return {
    flops: Math.max(rate('tile'), rate('chains'), rate('products')),
    read: rate('read'),
    copy: rate('copy'),
    near: rate('near'),
  };
}
