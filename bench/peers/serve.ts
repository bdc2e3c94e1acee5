/**
 * Reads requests from standard input, a line of JSON each, and answers on file descriptor 3, which leaves standard output
 * to whatever the library says. (Node only)
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Failure } from './channel.ts';

export async function serve<Request>(answer: (request: Request) => Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    let reply: object;
    try {
      reply = await answer(JSON.parse(line));
    } catch (error) {
      reply = { error: (error as Error)?.message ?? String(error) } satisfies Failure;
    }
    writeSync(3, `${JSON.stringify(reply)}\n`);
  }
  process.exit();
}
