/**
 * Runs mutants one after another in a thread that can be stopped, for a mutant may never end (Node only). Before a check is
 * used for the first time the source as it is has to pass it, which also says how long it takes.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Caught, judgeMutant, load, type Question } from './judgeMutant.ts';

export type Answer =
  | { readonly kind: 'starts'; readonly check: string; readonly limit: number }
  | { readonly kind: 'passes'; readonly key: string; readonly ms: number }
  | { readonly kind: 'done'; readonly caught: Caught }
  | { readonly kind: 'failed'; readonly message: string };

/** What the source as it is may take, and what a mutant may take in proportion. */
const LONGEST = 120_000;
const [LEAST, TIMES] = [1500, 8];

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread');

/** Milliseconds of each check of each bundle. */
const known = new Map<string, number>(workerData as Map<string, number>);

const say = (answer: Answer) => port.postMessage(answer);

async function measured(url: string, check: string): Promise<number> {
  const key = `${url} ${check}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  say({ kind: 'starts', check, limit: LONGEST });
  const start = performance.now();
  await (await load(url)).check(check);
  const ms = performance.now() - start;
  known.set(key, ms);
  say({ kind: 'passes', key, ms });
  return ms;
}

port.on('message', async (question: Question) => {
  try {
    const caught = await judgeMutant(question, async (check) => {
      const ms = await measured(question.url, check);
      say({ kind: 'starts', check, limit: LEAST + TIMES * ms });
    });
    say({ kind: 'done', caught });
  } catch (error) {
    say({ kind: 'failed', message: `the source as it is does not pass: ${(error as Error).message}` });
  }
});
