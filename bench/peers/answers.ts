/** The side of a driver: rows that it makes ready, calls that it times. How it is spoken to is serve.ts' business. */
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

/** Milliseconds of calls. */
export interface Sampled {
  readonly samples: readonly number[];
}

export type Answer = Prepared | Sampled;

async function time(call: () => unknown): Promise<number> {
  const start = performance.now();
  const result = call();
  if (result instanceof Promise) await result;
  return performance.now() - start;
}

/** What answers requests for the rows that `makers` has. */
export function answersOf(makers: Makers): (request: Request) => Promise<Answer> {
  let ready: Ready | undefined;
  return async (request) => {
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
  };
}
