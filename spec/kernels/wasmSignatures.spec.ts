/** generated/signatures.ts says what assembly/*.ts say; if not, it is of before: npm run build:kernels. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import type { BinaryName, CompareName, UnaryName } from '../../src/kernels/backend.ts';
import {
  type Arguments,
  Binary,
  Compare,
  type Exports,
  type KernelName,
  named,
  numbersOf,
  STRETCH,
  Unary,
} from '../../src/kernels/wasm/generated/signatures.ts';

const ASSEMBLY = join(import.meta.dirname, '../../src/kernels/wasm/assembly');

/** Syntax trees of the assembly. */
const trees = readdirSync(ASSEMBLY).map((file) =>
  ts.createSourceFile(file, readFileSync(join(ASSEMBLY, file), 'utf8'), ts.ScriptTarget.Latest, true),
);

/** Names of the parameters of an exported function, in order. */
function parametersOf(name: string): string[] {
  const [found] = trees
    .flatMap(({ statements }) => [...statements].filter(ts.isFunctionDeclaration))
    .filter(
      (node) => node.name?.text === name && ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export,
    );
  return found.parameters.map((parameter) => parameter.name.getText());
}

/** Members of an enumeration, in order. */
function membersOf(name: string): string[] {
  const [found] = trees
    .flatMap(({ statements }) => [...statements].filter(ts.isEnumDeclaration))
    .filter((node) => node.name.text === name);
  return found.members.map((member) => member.name.getText());
}

const numbered = (names: readonly string[]) => Object.fromEntries(names.map((name, i) => [name, i]));

it('every kernel gets its arguments in the order of the assembly, called and as a list', () => {
  const names = Object.keys(numbersOf) as KernelName[];
  expect(names.length).toBeGreaterThan(30);
  const calls: number[][] = [];
  const record = new Proxy(
    {},
    {
      get:
        () =>
        (...numbers: number[]) =>
          calls.push(numbers),
    },
  );
  const kernels = named(record as Exports);
  for (const name of names) {
    const parameters = parametersOf(name);
    const order = parameters.map((_, i) => i);
    // Each argument is the number of its parameter.
    const args = numbered(parameters) as unknown as Arguments[typeof name];
    const [list, call]: ((of: never) => unknown)[] = [numbersOf[name], kernels[name]];
    expect(list(args as never), name).toEqual(order);
    call(args as never);
    expect(calls.at(-1), name).toEqual(order);
  }
});

it('functions and comparisons have the numbers of the assembly', () => {
  expect({ ...Unary }).toEqual(numbered(membersOf('Unary')));
  expect({ ...Binary }).toEqual(numbered(membersOf('Binary')));
  expect({ ...Compare }).toEqual(numbered(membersOf('Compare')));
  const unary: readonly UnaryName[] = Object.keys(Unary) as (keyof typeof Unary)[];
  const binary: readonly BinaryName[] = Object.keys(Binary) as (keyof typeof Binary)[];
  const compare: readonly CompareName[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
  expect([unary.length, binary.length]).toEqual([13, 6]);
  for (const name of compare) expect(Compare[`${name}Int32`]).toBe(Compare[name] + compare.length);
});

it('sizes are those of the module', () => {
  const text = trees.find(({ fileName }) => fileName === 'reduce.ts')?.text ?? '';
  expect(text).toContain(`export const STRETCH: i32 = ${STRETCH};`);
});
