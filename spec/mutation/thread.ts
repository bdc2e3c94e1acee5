/** A worker thread that is started again when a mutant does not end (Node only). */
import { Worker } from 'node:worker_threads';
import type { Caught, Question } from './judgeMutant.ts';
import type { Answer } from './worker.ts';

/** What became of one mutant. */
export type Outcome =
  | { readonly kind: 'survived' }
  /** 'timeout': it had to be stopped, or stopped of itself. */
  | { readonly kind: 'killed' | 'timeout'; readonly by: string; readonly message: string };

/** What came instead of an answer: no end, no memory, an error that nobody caught. */
interface Stopped {
  readonly stopped: string;
}

const MEMORY_MB = 1500;

/** Milliseconds for a bundle to load. */
const LOADING = 20_000;

/** What was loaded anew stays in memory for as long as the thread lives. */
const MOST_LOADS = 25;

export class Thread {
  readonly #program: URL;
  readonly #known = new Map<string, number>();
  #worker: Worker | null = null;
  #loads = 0;

  /** @param program of worker.ts, as JavaScript */
  constructor(program: URL) {
    this.#program = program;
  }

  /** @throws Error where the source as it is does not pass */
  async judge(question: Question): Promise<Outcome> {
    if (question.anew && this.#loads++ === MOST_LOADS) await this.close();
    this.#worker ??= new Worker(this.#program, {
      workerData: this.#known,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    const { answer, check } = await this.#ask(this.#worker, question);
    if (answer instanceof Error) throw answer;
    if (answer === null) return { kind: 'survived' };
    if ('by' in answer) return { kind: 'killed', ...answer };
    await this.close();
    return { kind: 'timeout', by: check, message: answer.stopped };
  }

  /** The answer, or what came instead, and the check that was on. */
  #ask(worker: Worker, question: Question): Promise<{ answer: Caught | Stopped | Error; check: string }> {
    return new Promise((resolve) => {
      let check = 'loading';
      let timer: NodeJS.Timeout | undefined;
      const end = (answer: Caught | Stopped | Error) => {
        clearTimeout(timer);
        worker.off('error', fail).off('message', hear);
        resolve({ answer, check });
      };
      const fail = (error: Error) => end({ stopped: error.message });
      const within = (limit: number) => {
        clearTimeout(timer);
        timer = setTimeout(end, limit, { stopped: 'does not end' });
      };
      const hear = (message: Answer) => {
        if (message.kind === 'starts') {
          check = message.check;
          within(message.limit);
        } else if (message.kind === 'passes') this.#known.set(message.key, message.ms);
        else end(message.kind === 'done' ? message.caught : new Error(message.message));
      };
      worker.on('error', fail).on('message', hear);
      within(LOADING);
      worker.postMessage(question);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
    this.#loads = 0;
  }
}
