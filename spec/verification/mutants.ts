/** The rows of `npm run mutate`, which runs in a process of its own (Node only). */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../src/verify/judge.ts';

/** What it prints on its way goes to standard error. @throws Error where it ends without rows */
export async function mutationRows(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mutants-'));
  try {
    const file = join(folder, 'rows.json');
    const program = join(import.meta.dirname, '../mutation/run.mjs');
    const child = spawn(process.execPath, [program, '--json', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    return readRows(await readFile(file, 'utf8'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** JSON has no Infinity: what is null where a number has to be was one. */
function readRows(text: string): Row[] {
  return (JSON.parse(text) as Row[]).map((row) => ({ ...row, used: row.used ?? Number.POSITIVE_INFINITY }));
}
