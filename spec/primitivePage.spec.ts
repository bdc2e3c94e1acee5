/** The page on adding a primitive numbers nine files, and whatever it names is there, for an op and a family that are. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const page = readFileSync(join(ROOT, 'docs/how-to-primitive.md'), 'utf8');

it('numbers nine files', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| `/gm)].map(([, number]) => Number(number));
  expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it.each([
  ['swiglu', 'elementwise'],
  ['rotary', 'move'],
])('names files that are there: %s in %s', (name, family) => {
  const paths = [...page.matchAll(/`((?:src|spec|docs)\/[\w./]+)`/g)].map(([, path]) =>
    path.replace('NAME', name).replace('FAMILY', family),
  );
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
