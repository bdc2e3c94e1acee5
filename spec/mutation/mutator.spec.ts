/** The mutator: what it spoils, what it leaves alone, that its text computes what it says. */
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { readSource } from './bundle.ts';
import { EQUIVALENTS, staleEquivalents } from './equivalents.ts';
import { type Alike, mutate, parse } from './mutate.ts';
import { afterEach as after, begin, expect as matches, runSpec, it as test } from './standIn.ts';
import { TARGETS } from './targets.ts';

const mutantsOf = (text: string, alike?: Alike) => mutate(parse('some.ts', text), alike).mutants;
const spoiled = (text: string, kind?: string) =>
  mutantsOf(text, () => true)
    .filter((mutant) => kind === undefined || mutant.kind === kind)
    .map(({ to }) => to);

/** The function f of a mutated text, with one mutant on. */
function compiled<F>(text: string, active: number): F {
  const { outputText } = ts.transpileModule(mutate(parse('some.ts', text)).text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022 },
  });
  return new Function('active', `${outputText}; return f;`)(active) as F;
}

describe('mutations', () => {
  it('of sums, products, powers: another operator, each side alone, twice, negated', () => {
    expect(spoiled('export const f = (a: number, b: number) => a * b;')).toEqual([
      '2 * (a * b)',
      '-(a * b)',
      'a / (b)',
      'a',
      'b',
    ]);
    expect(spoiled('g(a - b);')).toEqual(['', 'a + (b)', 'a', '-(b)']);
    expect(spoiled('x += y;', 'arithmetic')).toEqual(['x -= y', 'x = y']);
    expect(spoiled('g(x ** n);')).toEqual(['', 'x', '(x) * (n)']);
  });

  it('of comparisons, conditions and logic', () => {
    expect(spoiled('if (a < b) g();')).toEqual(['true', 'false', 'a <= b', '']);
    expect(spoiled('g(a === b);', 'comparison')).toEqual(['a !== b']);
    expect(spoiled('for (; a < b; ) g();')).toEqual(['false', 'a <= b', '']);
    expect(spoiled('g(a ?? b);', 'logic')).toEqual(['a', 'b']);
    expect(spoiled('g(a && b);', 'logic')).toEqual(['a', 'b', 'a || b']);
    expect(spoiled('g(!a);', 'logic')).toEqual(['a']);
  });

  it('of numbers, truths and positions', () => {
    expect(spoiled('g(3);', 'number')).toEqual(['4', '0']);
    expect(spoiled('g(0);', 'number')).toEqual(['1']);
    expect(spoiled('g(1e-5);', 'number')).toEqual(['0.00002', '0']);
    expect(spoiled('g(true);', 'boolean')).toEqual(['false']);
    expect(spoiled('g(x[i]);', 'index')).toEqual(['(i) + 1', '(i) - 1']);
  });

  it('of kernels, tensors, modules', () => {
    expect(spoiled("g(k.binary('mul', dy, b));", 'call')).toEqual([
      "k.binary('div', dy, b)",
      "k.binary('add', dy, b)",
      'dy',
      'b',
    ]);
    expect(spoiled("g(k.unary('neg', x));", 'call')).toEqual(['x']);
    expect(spoiled('g(sumToShape(k, dy, shape));', 'un-broadcast')).toEqual(['dy']);
    expect(spoiled('g(k.sum(dy, axes));', 'un-broadcast')).toEqual(['k.sum(dy, (axes).slice(1))']);
    expect(spoiled('g(x.add(y));', 'call')).toEqual(['x', 'x.sub(y)', 'y']);
    expect(spoiled('g(this.norm.call(x));', 'call')).toEqual(['x']);
  });

  it('of gradients, and only where they are handed over', () => {
    const record =
      'export const op = { backward({ k, dy }) { const zero = () => z(); return [() => dy, null]; } };';
    expect(spoiled(record, 'gradient')).toEqual([2, -1, 0].map((n) => `scaled(() => dy, ${n})`));
    expect(spoiled('export const list = [() => dy];', 'gradient')).toEqual([]);
  });

  it('of neighbours of one type', () => {
    expect(spoiled('g(a, b);', 'swap')).toEqual(['g(b, a)']);
    expect(spoiled('g([a, b]);', 'swap')).toEqual(['[b, a]']);
    expect(spoiled('g(Math.max(a, b), k.compare("eq", a, b));', 'swap')).toHaveLength(1);
    expect(mutantsOf('g(a, b);').some(({ kind }) => kind === 'swap')).toBe(false);
  });
});

describe('left alone', () => {
  it.each([
    ['types and imports', "import { a } from '1'; type T = 1 | 2; interface I { x: 3 } let y: 4;"],
    ['texts', `export const text = f\`\${a + b}\` + 'b';`],
    ['what is thrown', `throw new RangeError(\`\${a + b}\`);`],
    ['errors that are made', 'export const e = new ShapeError({ axis: 1, flag: true });'],
    ['what only errors use', 'const got = a ? 1 : 2; throw new Error(got);'],
  ])('%s', (_, text) => {
    expect(spoiled(text)).toEqual([]);
  });

  it('arguments that only errors use', () => {
    const text =
      'function make(n: number, a = 3) { if (n) throw new Error(a); return n; } export const op = make(1, 2);';
    expect(spoiled(text)).toEqual(['true', 'false', '2', '0']);
  });

  it('how a loop goes on', () => {
    expect(spoiled('for (let i = a; i; i++) {}')).toEqual(['false']);
  });
});

describe('numbers of mutants', () => {
  const first = 'export const f = (a: number, b: number) => g(a, b) + 2;';

  it('are the same for the same text, and do not change with what follows', () => {
    const before = mutantsOf(first);
    expect(before.map(({ id }) => id)).toEqual([...before.map(({ id }) => id)].sort((a, b) => a - b));
    expect(mutantsOf(first)).toEqual(before);
    expect(mutantsOf(`${first}\nexport const h = 3 + 4;`).slice(0, before.length)).toEqual(before);
  });

  it('do not depend on what is known of types', () => {
    const known = new Map(mutantsOf(first, () => true).map(({ id, to }) => [id, to]));
    for (const { id, to } of mutantsOf(first)) expect(known.get(id)).toBe(to);
  });
});

describe('the text with all mutants', () => {
  const text = `
    function f(a: number, b: number): number {
      const list = [a, b];
      if (a > b) list[0] = a - 2 * b;
      else if (b > 0) for (let i = 0; i < 3; i++) list[1] += i;
      return list[0] * list[1];
    }`;
  type F = (a: number, b: number) => number;
  const inputs = [[5, 1], [1, 5], [-1, -1], [2, 2]] as const; // biome-ignore format: pairs
  const results = (id: number) => inputs.map(([a, b]) => compiled<F>(text, id)(a, b));
  const plain = results(0);

  it('computes what the source does while none is on', () => {
    expect(plain).toEqual([3, 8, 1, 10]);
  });

  it('computes something else with any other on', () => {
    const same = mutantsOf(text).filter(({ id }) => String(results(id)) === String(plain));
    expect(same.map(({ from, to }) => [from, to])).toEqual([]);
  });
});

describe('mutants that are no other programs', () => {
  it.each([...new Set(EQUIVALENTS.map(({ file }) => file))])('%s still has those of the list', (file) => {
    expect(TARGETS.map((target) => target.file)).toContain(file);
    expect(staleEquivalents(file, mutate(readSource(file), () => true).mutants)).toEqual([]);
  });
});

describe('specs in a bundle', () => {
  it('run as in vitest, up to the first test that fails', async () => {
    const log: string[] = [];
    begin('one.spec.ts');
    after(() => log.push('after'));
    test.each([[1, 1], [2, 3]])('adds up', (a, b) => matches(a).to.equal(b)); // biome-ignore format: pairs
    test('is not reached', () => log.push('reached'));
    await expect(runSpec('one.spec.ts')).rejects.toThrow('adds up #1: expected 2 to equal 3');
    expect(log).toEqual(['after', 'after']);
    await expect(runSpec('two.spec.ts')).rejects.toThrow('two.spec.ts is not in the bundle');
  });
});
