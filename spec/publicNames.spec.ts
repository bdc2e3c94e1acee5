/**
 * The public names, entry by entry. An addition or removal is a conscious change: `npx vitest run spec/publicNames.spec.ts -u`
 * writes publicNames.txt anew. What specs and programs of the project need beyond them they import from the rooms.
 */
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const ENTRIES = [
  'index.ts',
  'node.ts',
  'data/index.ts',
  'train/index.ts',
  'verify/index.ts',
  'kernels/index.ts',
];

/** Entries whose every name says what it is where it is declared. */
const EXPLAINED = ['index.ts', 'node.ts'];

const files = ENTRIES.map((entry) => join(ROOT, 'src', entry));
const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent({ ...config, files }, ts.sys, ROOT);
const program = ts.createProgram(files, options);
const checker = program.getTypeChecker();

/** What an entry exports, as it is declared. */
function exportsOf(entry: string): ts.Symbol[] {
  const source = program.getSourceFile(join(ROOT, 'src', entry));
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} is no module`);
  return checker.getExportsOfModule(module);
}

const declared = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

const isType = (symbol: ts.Symbol): boolean => !(declared(symbol).flags & ts.SymbolFlags.Value);

describe('public names', () => {
  it('are those of the list', async () => {
    const main = new Set(exportsOf('index.ts').map(({ name }) => name));
    const lists = ENTRIES.map((entry) => {
      const names = exportsOf(entry)
        .filter(({ name }) => entry !== 'node.ts' || !main.has(name))
        .map((symbol) => (isType(symbol) ? `type ${symbol.name}` : symbol.name));
      return `${entry}${entry === 'node.ts' ? ', beyond index.ts' : ''}\n${names
        .sort()
        .map((name) => `  ${name}\n`)
        .join('')}`;
    });
    await expect(lists.join('\n')).toMatchFileSnapshot('publicNames.txt');
  });

  it('say in the main entry by name what they are: nothing is exported by the dozen', () => {
    const source = program.getSourceFile(join(ROOT, 'src/index.ts'));
    expect(source?.statements.filter((node) => ts.isExportDeclaration(node) && !node.exportClause)).toEqual(
      [],
    );
  });

  it.each(EXPLAINED)('of %s have a comment each', (entry) => {
    const silent = exportsOf(entry)
      .filter((symbol) => declared(symbol).getDocumentationComment(checker).length === 0)
      .map((symbol) => symbol.name);
    expect(silent).toEqual([]);
  });
});
