/** docs/functions.md names every function that tensors have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as functions from '../src/tensor/functions/index.ts';
import { functionCases } from '../src/verify/functionCases/index.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/functions.md'), 'utf8');

/** Names in the first column of the table. */
const listed = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...line.split('|')[1].matchAll(/`(?:x\.)?(\w+)/g)].map(([, name]) => name));

it('lists every composed function once', () => {
  const wanted = new Set([...Object.keys(functions), ...functionCases().map(({ of }) => of)]);
  expect([...wanted].filter((name) => !listed.includes(name))).toEqual([]);
  expect(listed.filter((name, i) => listed.indexOf(name) !== i)).toEqual([]);
});
