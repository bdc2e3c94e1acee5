/** Runs the command line in this process and keeps what it writes. */
import { join } from 'node:path';
import { run } from '../../src/cli/run.ts';

export const GOLDENS = join(import.meta.dirname, '../goldens');

export interface CliResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export async function cli(...argv: string[]): Promise<CliResult> {
  let out = '';
  let err = '';
  const status = await run(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    color: false,
  });
  // Progress appears only where the machine is slow.
  return { status, out, err: err.replace(/^(loading|verifying): \d+ of .*\n/gm, '') };
}
