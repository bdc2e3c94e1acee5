/** Whether threads are possible where this runs, and how many make sense. */
import { nodeThreads } from './nodeThreads.ts';

/** As many threads by default at most. */
const MAX_THREADS = 16;

/** Threads by default: as many as the machine has cores, where threads are possible at all. */
export function defaultThreads(): number {
  return threadSupport().supported ? Math.min(MAX_THREADS, cores()) : 1;
}

/** Whether kernels can have threads here, and why not. */
export function threadSupport(): { readonly supported: boolean; readonly reason: string } {
  if (typeof SharedArrayBuffer === 'undefined') {
    return {
      supported: false,
      reason: 'no SharedArrayBuffer (a page needs the headers COOP same-origin and COEP)',
    };
  }
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1); // 0 is not 1: returns at once, where it may wait
  } catch {
    return { supported: false, reason: "a page's main thread may not wait; a worker may" };
  }
  if (nodeThreads() === undefined && typeof Worker === 'undefined') {
    return { supported: false, reason: 'no workers' };
  }
  return { supported: true, reason: 'workers over a shared memory' };
}

function cores(): number {
  if (typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function') {
    return process.getBuiltinModule('node:os').availableParallelism();
  }
  return navigator.hardwareConcurrency;
}
