/**
 * What a thread of the pool runs. build.mjs turns this file into text, and pool.ts starts threads from the text, so
 * that no file has to be found at run time; it therefore imports nothing and stands in a function of its own.
 *
 * Jobs lie in the shared memory; pool.ts tells how they are laid out and handed over.
 */

/** What a thread is started with. Addresses are in bytes, places in words of four bytes. */
interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Functions of Math that the module imports. */
  readonly imports: readonly 'log'[];
  /** Exported kernels in the order of their numbers. */
  readonly kernels: readonly string[];
  /** Arguments of the thread's own `enter`. */
  readonly enter: readonly number[];
  /** Where the words are that threads share, and the arguments of the calls. */
  readonly words: number;
  readonly calls: number;
  readonly places: {
    readonly job: number;
    readonly sleepers: number;
    readonly tickets: number;
    readonly done: number;
    readonly callerSleeps: number;
    readonly failed: number;
    readonly kernel: number;
    readonly arity: number;
  };
  readonly spins: number;
}

(() => {
  function work(start: WorkerStart): void {
    const { memory, places } = start;
    const math = Object.fromEntries(start.imports.map((name) => [name, Math[name]]));
    const { exports } = new WebAssembly.Instance(start.module, { env: { memory, ...math } });
    const kernels = start.kernels.map((name) => exports[name] as (...args: number[]) => void);
    (exports['enter'] as (...args: number[]) => void)(...start.enter);
    const words = new Int32Array(memory.buffer, start.words, 64);
    const calls = new Float64Array(memory.buffer, start.calls);

    /** Until the number of the job is another one: first awake, since the next job often comes at once. */
    function nextJob(seen: number): number {
      for (let i = 0; i < start.spins; i++) {
        const job = Atomics.load(words, places.job);
        if (job !== seen) return job;
      }
      Atomics.add(words, places.sleepers, 1);
      Atomics.wait(words, places.job, seen);
      Atomics.sub(words, places.sleepers, 1);
      return Atomics.load(words, places.job);
    }

    for (let job = 0; ; job = nextJob(job)) {
      for (;;) {
        const ticket = Atomics.sub(words, places.tickets, 1);
        if (ticket <= 0) break;
        // From here until it counts as done, the job cannot end, so these belong to the ticket.
        const arity = words[places.arity];
        const at = (ticket - 1) * arity;
        try {
          kernels[words[places.kernel]](...calls.subarray(at, at + arity));
        } catch {
          Atomics.store(words, places.failed, 1);
        }
        Atomics.add(words, places.done, 1);
        if (Atomics.load(words, places.callerSleeps) === 1) Atomics.notify(words, places.done);
      }
    }
  }

  const threads =
    typeof process === 'undefined' ? undefined : process.getBuiltinModule('node:worker_threads');
  if (threads !== undefined) work(threads.workerData as WorkerStart);
  else addEventListener('message', ({ data }: MessageEvent<WorkerStart>) => work(data), { once: true });
})();
