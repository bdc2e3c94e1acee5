/** One thread of the roofline: runs each measurement at the same time as the other threads do. (Node only) */
import { workerData } from 'node:worker_threads';
import { MEASURED, measurements } from './kernels.ts';
import { ROUNDS, type Shared } from './protocol.ts';

const { bytes, thread, threads, arrived, times } = workerData as Shared;
const count = new Int32Array(arrived);
const milliseconds = new Float64Array(times);
let meetings = 0;

/** Waits until every thread is here. */
function meet(): void {
  const everybody = ++meetings * threads;
  if (Atomics.add(count, 0, 1) + 1 === everybody) {
    Atomics.notify(count, 0);
    return;
  }
  for (let here = Atomics.load(count, 0); here < everybody; here = Atomics.load(count, 0)) {
    Atomics.wait(count, 0, here);
  }
}

const WARM_MS = 150;

const work = measurements(bytes);
for (const [m, name] of MEASURED.entries()) {
  // The engine replaces its first, quick translation by a fast one while this runs.
  for (const end = performance.now() + WARM_MS; performance.now() < end; ) work[name].run();
  for (let round = 0; round < ROUNDS; round++) {
    meet();
    const start = performance.now();
    work[name].run();
    milliseconds[(m * ROUNDS + round) * threads + thread] = performance.now() - start;
  }
}
