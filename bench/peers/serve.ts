/**
 * The side of a driver: reads requests from standard input, a line of JSON each, and answers on file descriptor 3, which
 * leaves standard output to whatever the library says. (Node only)
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Kind, Spec } from './rows.ts';

/** A row made ready. */
export interface Ready {
  /** What is timed. */
  call(): unknown;
  /** Instead of timing calls: answers the milliseconds of one, where a part of it is no part of the row. */
  sample?(): Promise<number>;
  /** Results at `probes`; asked for after the first call. */
  check?(): readonly number[] | Promise<readonly number[]>;
}

export type Makers = {
  readonly [K in Kind]?: (spec: Extract<Spec, { kind: K }>) => Ready | Promise<Ready>;
};

export type Request =
  | { readonly do: 'prepare'; readonly spec: Spec }
  | { readonly do: 'sample'; readonly seconds: number; readonly least: number; readonly warm: boolean };

export interface Prepared {
  /** Milliseconds of the first call, which also compiles. */
  readonly first: number;
  readonly check: readonly number[] | null;
}

export type Answer = Prepared | { readonly samples: readonly number[] } | { readonly error: string };

async function time(call: () => unknown): Promise<number> {
  const start = performance.now();
  const result = call();
  if (result instanceof Promise) await result;
  return performance.now() - start;
}

export async function serve(makers: Makers): Promise<void> {
  let ready: Ready | undefined;

  async function answer(request: Request): Promise<Answer> {
    if (request.do === 'prepare') {
      const make = makers[request.spec.kind] as ((spec: Spec) => Ready | Promise<Ready>) | undefined;
      if (make === undefined) throw new Error(`has no ${request.spec.kind}`);
      ready = await make(request.spec);
      const first = await time(ready.call);
      return { first, check: (await ready.check?.()) ?? null };
    }
    if (ready === undefined) throw new Error('asked for samples before a row');
    const { call, sample = () => time(call) } = ready;
    if (request.warm) await sample();
    const samples: number[] = [];
    const end = performance.now() + 1000 * request.seconds;
    while (samples.length < request.least || performance.now() < end) samples.push(await sample());
    return { samples };
  }

  for await (const line of createInterface({ input: process.stdin })) {
    let reply: Answer;
    try {
      reply = await answer(JSON.parse(line));
    } catch (error) {
      reply = { error: (error as Error)?.message ?? String(error) };
    }
    writeSync(3, `${JSON.stringify(reply)}\n`);
  }
  process.exit();
}
