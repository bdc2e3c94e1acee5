/** Runs the command line in this process and keeps what it writes. */
import { join } from 'node:path';
import type { CliIo } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';

export const GOLDENS = join(import.meta.dirname, '../goldens');

export interface CliResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export function cli(...argv: string[]): Promise<CliResult> {
  return cliWith({}, ...argv);
}

export async function cliWith(io: Partial<CliIo>, ...argv: string[]): Promise<CliResult> {
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
    trueColor: false,
    ...io,
  });
  // Progress appears only where the machine is slow.
  return { status, out, err: err.replace(/^(loading|verifying): \d+ of .*\n/gm, '') };
}
