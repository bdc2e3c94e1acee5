/** Examples in the documentation run as they stand there. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Runs the only TypeScript example of a document. */
async function run(document: string): Promise<{ readonly logged: string[]; readonly written: string[] }> {
  const text = await readFile(join(ROOT, document), 'utf8');
  const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(examples.length, document).toBe(1);
  // In the project itself the package is its own source.
  const code = examples[0]
    .replace("'cogvlm-ts/node'", "'../src/node.ts'")
    .replace("'cogvlm-ts'", "'../src/index.ts'")
    .replace(/'cogvlm-ts\/(\w+)'/g, "'../src/$1/index.ts'");
  const example = join(import.meta.dirname, `${document.replaceAll(/\W/g, '')}.tmp.ts`);
  await writeFile(example, code);
  const logged: string[] = [];
  const written: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => void logged.push(args.join(' ')));
  const write = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation((piece) => written.push(String(piece)) > 0);
  try {
    await import(example);
  } finally {
    log.mockRestore();
    write.mockRestore();
    await rm(example);
  }
  return { logged, written };
}

it('README.md', async () => {
  const { logged, written } = await run('README.md');
  expect(logged[0]).toMatch(/\[\[2\., 4\.\],\s+\[6\., 8\.\]\]/);
  expect(written.join('').trim().length).toBeGreaterThan(2);
  expect(logged[1]).toMatch(/^1,3,\d+ \w+/);
});

it('docs/verification.md', async () => {
  expect(await run('docs/verification.md')).toEqual({ logged: [], written: [] });
});
