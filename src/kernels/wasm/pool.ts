/**
 * Threads for the kernels. Each has an instance of the module on the one shared memory; a job is a list of calls of one
 * kernel that write to different places, and whoever is free takes the next. Which thread makes a call changes no bit
 * of a result, and neither does their number.
 *
 * Handing over. The caller writes kernel, arguments and `done` = 0, then `tickets` = the number of calls, and changes
 * `job`, on which idle threads wait. A ticket is drawn by counting `tickets` down: what was there before, if above 0,
 * is the number of a call from 1. It belongs to the job whose tickets it was counted from, and that job cannot end
 * before its calls are `done`, so a thread that comes late finds either nothing or a call of the present job. The
 * caller works as well and waits for the last calls: a thread that is slow to start delays nobody.
 *
 * Waiting blocks, which a page's main thread may not do; there, and where memory cannot be shared, all calls are made
 * by the caller.
 */
import { WORKER_SOURCE } from './generated/module.ts';
import {
  type Arguments,
  IMPORTS,
  type KernelName,
  type Kernels,
  numbersOf,
  WORK_BYTES,
} from './generated/signatures.ts';
import { nodeThreads } from './nodeThreads.ts';

/** Words of the shared block, those of different writers on different cache lines. */
const PLACES = {
  job: 0,
  sleepers: 1,
  tickets: 16,
  done: 32,
  callerSleeps: 33,
  kernel: 48,
  arity: 49,
  failed: 50,
} as const;
const WORDS_BYTES = 256;
/** Room for the arguments of the calls of a job, in numbers of eight bytes. */
const ARGUMENTS = 2 ** 14;
/** Turns of an idle thread, some 50 µs, before it sleeps: ops of a model follow each other faster than that. */
const SPINS = 20_000;
/** Parts of a job per thread: more than one, so that a thread that is held up leaves its share to others. */
const PARTS_PER_THREAD = 4;
/** A part is at least about so many elements, some ten microseconds, or handing it over does not pay. */
const GRAIN = 2 ** 14;

export interface Pool {
  /** Threads that compute, the caller included. */
  readonly threads: number;
  /**
   * Makes all calls, in any order and on any thread, and returns when they are done. `elements` is what they go through
   * together, for the decision whether handing them over pays; a multiply-add of a product counts as a twelfth.
   */
  run<K extends KernelName>(kernel: K, calls: readonly Arguments[K][], elements: number): void;
  /**
   * Makes one call, or calls on parts, for `n` items of `weight` elements each. `call` gives the arguments for `count`
   * items from `from` on, where `from` is a multiple of `step`.
   */
  split<K extends KernelName>(
    kernel: K,
    n: number,
    weight: number,
    call: (from: number, count: number) => Arguments[K],
    step?: number,
  ): void;
  /** Ends the threads; the pool goes on with the caller alone. */
  close(): void;
}

/** What threads are started with, beside what the pool lays out itself. */
export interface PoolSetup {
  readonly kernels: Kernels;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  /** Address of memory that is never given back. */
  readonly reserve: (bytes: number) => number;
}

interface Thread {
  terminate(): unknown;
}

/** Starts a thread that does not keep the process alive. */
function startThread(data: unknown): Thread {
  const node = nodeThreads();
  if (node !== undefined) {
    const worker = new node.Worker(WORKER_SOURCE, { eval: true, workerData: data });
    worker.unref();
    return worker;
  }
  const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.postMessage(data);
  return worker;
}

/** Ends the threads of pools that nobody holds any more. */
const abandoned = new FinalizationRegistry((threads: readonly Thread[]) => {
  for (const thread of threads) thread.terminate();
});

function arityOf<K extends KernelName>(kernel: K, args: Arguments[K]): number {
  return numbersOf[kernel](args).length;
}

/** Threads are started by the first job that is worth it. */
export function createPool(setup: PoolSetup): Pool {
  const { kernels, memory, reserve } = setup;
  const names = Object.keys(numbersOf);
  const numbers = new Map(names.map((name, i) => [name, i]));
  let running: Thread[] = [];
  let threads = setup.threads;
  let shared: { readonly words: Int32Array; readonly calls: Float64Array } | undefined;

  function start(): { readonly words: Int32Array; readonly calls: Float64Array } {
    const at = { words: reserve(WORDS_BYTES), calls: reserve(8 * ARGUMENTS) };
    const { module } = setup;
    const common = { module, memory, imports: IMPORTS, kernels: names, places: PLACES, spins: SPINS, ...at };
    for (let number = 1; number < threads; number++) {
      const enter = numbersOf.enter({ number, at: reserve(WORK_BYTES) });
      running.push(startThread({ ...common, enter }));
    }
    abandoned.register(pool, running, pool);
    return {
      words: new Int32Array(memory.buffer, at.words, WORDS_BYTES / 4),
      calls: new Float64Array(memory.buffer, at.calls, ARGUMENTS),
    };
  }

  function runAlone<K extends KernelName>(kernel: K, calls: readonly Arguments[K][]): void {
    const compute: Kernels[K] = kernels[kernel];
    for (const call of calls) compute(call);
  }

  function runShared<K extends KernelName>(kernel: K, calls: readonly Arguments[K][]): void {
    shared ??= start();
    const { words, calls: slots } = shared;
    const compute: Kernels[K] = kernels[kernel];
    const arity = arityOf(kernel, calls[0]);
    // The last ticket is drawn first; calls are laid down backwards so that they are made in order.
    for (let i = 0, at = (calls.length - 1) * arity; i < calls.length; i++, at -= arity)
      slots.set(numbersOf[kernel](calls[i]), at);
    words[PLACES.kernel] = numbers.get(kernel) ?? -1;
    words[PLACES.arity] = arity;
    Atomics.store(words, PLACES.done, 0);
    Atomics.store(words, PLACES.tickets, calls.length);
    Atomics.add(words, PLACES.job, 1);
    if (Atomics.load(words, PLACES.sleepers) > 0) Atomics.notify(words, PLACES.job);
    for (;;) {
      const ticket = Atomics.sub(words, PLACES.tickets, 1);
      if (ticket <= 0) break;
      compute(calls[calls.length - ticket]);
      Atomics.add(words, PLACES.done, 1);
    }
    waitFor(words, calls.length);
    if (Atomics.exchange(words, PLACES.failed, 0) !== 0)
      throw new Error(`wasm: ${kernel} failed in a thread`);
  }

  function waitFor(words: Int32Array, count: number): void {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(words, PLACES.done) === count) return;
    Atomics.store(words, PLACES.callerSleeps, 1);
    for (;;) {
      const done = Atomics.load(words, PLACES.done);
      if (done === count) break;
      Atomics.wait(words, PLACES.done, done);
    }
    Atomics.store(words, PLACES.callerSleeps, 0);
  }

  const pool: Pool = {
    get threads() {
      return threads;
    },

    run(kernel, calls, elements) {
      if (threads === 1 || calls.length < 2 || elements < 2 * GRAIN) {
        runAlone(kernel, calls);
        return;
      }
      const most = Math.floor(ARGUMENTS / arityOf(kernel, calls[0]));
      for (let from = 0; from < calls.length; from += most) runShared(kernel, calls.slice(from, from + most));
    },

    split(kernel, n, weight, call, step = 1) {
      const parts =
        threads === 1 ? 1 : Math.min(threads * PARTS_PER_THREAD, Math.floor((n * weight) / GRAIN));
      if (parts < 2) {
        if (n > 0) runAlone(kernel, [call(0, n)]);
        return;
      }
      const size = Math.ceil(n / parts / step) * step;
      const calls: ReturnType<typeof call>[] = [];
      for (let from = 0; from < n; from += size) calls.push(call(from, Math.min(size, n - from)));
      pool.run(kernel, calls, n * weight);
    },

    close() {
      abandoned.unregister(pool);
      for (const thread of running) thread.terminate();
      running = [];
      threads = 1;
    },
  };
  return pool;
}
