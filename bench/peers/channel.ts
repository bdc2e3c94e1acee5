/** A way to a driver, wherever it runs: one request after the other, each with its answer. */
import type { Answer, Prepared, Request, Sampled } from './answers.ts';
import type { Spec } from './rows.ts';

/** What comes in place of an answer. */
export interface Failure {
  readonly error: string;
}

export interface Channel {
  /** @throws Error with what the driver says, that it ended, or that it took longer than so many seconds */
  ask(request: object, limit: number): Promise<object>;
  /** Ends the driver. */
  stop(): void;
}

/** @throws what the channel throws */
export async function prepare(channel: Channel, spec: Spec, limit: number): Promise<Prepared> {
  return (await ask(channel, { do: 'prepare', spec }, limit)) as Prepared;
}

/** Milliseconds of calls. @throws what the channel throws */
export async function sample(
  channel: Channel,
  request: Omit<Extract<Request, { do: 'sample' }>, 'do'>,
  limit: number,
): Promise<number[]> {
  return [...((await ask(channel, { do: 'sample', ...request }, limit)) as Sampled).samples];
}

const ask = (channel: Channel, request: Request, limit: number) =>
  channel.ask(request, limit) as Promise<Answer>;
