/** What is done on the GPU while there is time: the rest is skipped, and the report says so. */

import type { Channel } from '../peers/channel.ts';
import { type Contestant, compare, type Plan, Rates } from '../peers/compare.ts';
import type { RowCase } from '../peers/rows.ts';
import type { Budget } from './budget.ts';
import type { Host } from './host.ts';
import { type GpuReport, gpuRow, rowLines, verifiedLine } from './report.ts';
import type { Verified } from './verification.ts';

/** A report that is being filled. */
export type Draft = {
  -readonly [K in keyof GpuReport]: GpuReport[K] extends readonly (infer E)[] ? E[] : GpuReport[K];
};

export type Print = (...lines: readonly string[]) => void;

/** What a folder or a row takes at least. */
const LEAST_SECONDS = 5;

function skip(report: Pick<Draft, 'skipped'>, print: Print, what: string, why: string): void {
  report.skipped.push({ what, why });
  print(`${what}: skipped, ${why}`);
}

/** Golden folders one after the other; one that takes too long or fails does not keep the others from their turn. */
export async function verifyFolders(
  host: Pick<Host, 'open'>,
  folders: readonly string[],
  budget: Budget,
  report: Pick<Draft, 'verify' | 'skipped'>,
  print: Print,
): Promise<void> {
  let channel: Channel | undefined;
  for (const folder of folders) {
    try {
      const refusal = budget.refusal(LEAST_SECONDS);
      if (refusal !== null) throw new Error(refusal);
      channel ??= host.open('verify');
      const verified = (await channel.ask({ folder }, Math.ceil(budget.left))) as Verified;
      report.verify.push(verified);
      print(verifiedLine(verified));
    } catch (error) {
      channel?.stop();
      channel = undefined;
      skip(report, print, `verify ${folder}`, (error as Error).message);
    }
  }
  channel?.stop();
}

/** Rows one after the other. Nothing is foreseen from a row for the next: what takes short is waiting, not arithmetic. */
export async function timeRows(
  rows: readonly RowCase[],
  on: readonly Contestant[],
  plan: Plan,
  budget: Budget,
  report: Pick<Draft, 'rows' | 'skipped'>,
  print: Print,
): Promise<void> {
  for (const row of rows) {
    print('');
    const refusal = budget.refusal(LEAST_SECONDS);
    if (refusal !== null) {
      skip(report, print, row.name, refusal);
      continue;
    }
    const found = gpuRow(row, await compare(row, on, plan, new Rates(), () => {}));
    report.rows.push(found);
    print(...rowLines(found));
  }
}
