/** The example in the README runs as it stands there. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

it('runs the API example of the README', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(code).toBeDefined();
  // In the project itself the package is its own source.
  const example = join(import.meta.dirname, 'readmeExample.tmp.ts');
  await writeFile(example, String(code).replaceAll("'cogvlm-ts/node'", "'../src/node.ts'"));
  const logged: string[] = [];
  const written: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => void logged.push(args.join(' ')));
  const write = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await import(example);
  } finally {
    log.mockRestore();
    write.mockRestore();
    await rm(example);
  }
  expect(logged[0]).toBe('2,4,6,8');
  expect(written.join('').trim().length).toBeGreaterThan(2);
  expect(logged[1]).toMatch(/^1,3,\d+ \w+/);
});
