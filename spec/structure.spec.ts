/**
 * The shape of the source itself, read from its syntax trees: layers with arrows in one direction, no import cycles, no
 * default exports, no `any`, no unseeded randomness, and no Node module outside of files that say so.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../src');

/** What each folder of src/ may import, beside itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  tensor: ['kernels'],
  nn: ['tensor', 'kernels'],
  data: ['tensor', 'kernels'],
  models: ['data', 'nn', 'tensor', 'kernels'],
  train: ['models', 'data', 'nn', 'tensor', 'kernels'],
  verify: ['train', 'models', 'data', 'nn', 'tensor', 'kernels'],
  research: ['train', 'models', 'data', 'nn', 'tensor', 'kernels'],
  cli: ['research', 'train', 'verify', 'models', 'data', 'nn', 'tensor', 'kernels'],
};

/** Files of src/ itself: what the package exports. They import any layer, and no layer imports them. */
const ENTRIES = ['index.ts', 'node.ts'];

/** Folders that have a door: other rooms come in by it alone. */
const ROOMS = ['kernels', 'tensor', 'nn', 'data', 'models/cogvlm', 'train', 'verify', 'research', 'cli'];

/** The doors of a room: what runs everywhere; what only Node can load; of tensor also the samples of its primitives. */
const doorsOf = (room: string) => [`${room}/index.ts`, `${room}/node.ts`, 'tensor/cases.ts'];

/** AssemblyScript: another language, compiled on its own. */
const FOREIGN = 'kernels/wasm/assembly/';

/** Files for Node alone: by their name, their folder, or the word of their first comment. */
function isForNode(file: string): boolean {
  if (file === 'node.ts' || file.endsWith('/node.ts') || file.startsWith('cli/')) return true;
  const text = sources.find((source) => source.file === file)?.tree.text ?? '';
  return text.slice(0, text.indexOf('*/')).includes('(Node only)');
}

interface Source {
  /** Path in src/. */
  readonly file: string;
  readonly tree: ts.SourceFile;
  /** What it imports, as written. */
  readonly imports: readonly string[];
}

function importsOf(tree: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    let from: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) from = node.moduleSpecifier;
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      from = node.arguments[0];
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) from = node.argument.literal;
    if (from !== undefined && ts.isStringLiteral(from)) found.push(from.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

const sources: readonly Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.startsWith(FOREIGN))
  .sort()
  .map((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    return { file, tree, imports: importsOf(tree) };
  });

/** Path in src/ of what a relative import of `file` means. */
const target = (file: string, specifier: string): string =>
  relative(SRC, join(SRC, dirname(file), specifier)).replaceAll('\\', '/');

const isRelative = (specifier: string) => specifier.startsWith('.');

/** Every node of every source for which `broken` says so, as file:line. */
function places(broken: (node: ts.Node, source: Source) => boolean): string[] {
  const found: string[] = [];
  for (const source of sources) {
    const visit = (node: ts.Node): void => {
      if (broken(node, source)) {
        const { line } = source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree));
        found.push(`${source.file}:${line + 1} ${node.getText(source.tree).split('\n')[0]}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source.tree);
  }
  return found;
}

describe('layers', () => {
  it('every folder of src/ has its place', () => {
    const folders = new Set(sources.map(({ file }) => file.split('/')[0]));
    const unplaced = [...folders].filter((name) => !(name in LAYERS) && !ENTRIES.includes(name));
    expect(unplaced).toEqual([]);
    expect(sources.length).toBeGreaterThan(80);
  });

  it('the table itself has no cycle: what a layer may import may import no more than the layer', () => {
    for (const [layer, below] of Object.entries(LAYERS)) {
      expect(below).not.toContain(layer);
      for (const lower of below) {
        for (const lowest of LAYERS[lower])
          expect(below, `${layer} → ${lower} → ${lowest}`).toContain(lowest);
      }
    }
  });

  it('arrows go down only', () => {
    const wrong: string[] = [];
    for (const { file, imports } of sources) {
      const [layer] = file.split('/');
      for (const specifier of imports.filter(isRelative)) {
        const [to] = target(file, specifier).split('/');
        if (to === layer || ENTRIES.includes(layer) || LAYERS[layer]?.includes(to)) continue;
        wrong.push(`${file} → ${target(file, specifier)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('another room is entered by its door, and no room by its own', () => {
    const roomOf = (file: string) => ROOMS.find((room) => file.startsWith(`${room}/`));
    const wrong: string[] = [];
    for (const { file, imports } of sources) {
      for (const to of imports.filter(isRelative).map((specifier) => target(file, specifier))) {
        const room = roomOf(to);
        if (room === undefined) continue;
        const byDoor = doorsOf(room).includes(to);
        if (byDoor === (room === roomOf(file))) wrong.push(`${file} → ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('imports of the project name a file of src/ with its ending', () => {
    const files = new Set(sources.map(({ file }) => file));
    const wrong = sources.flatMap(({ file, imports }) =>
      imports
        .filter((specifier) => isRelative(specifier) && !specifier.endsWith('.json'))
        .filter((specifier) => !files.has(target(file, specifier)))
        .map((specifier) => `${file} → ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('cycles', () => {
  it('no file imports itself by way of others, types included', () => {
    const next = new Map(
      sources.map(({ file, imports }) => [
        file,
        imports.filter(isRelative).map((specifier) => target(file, specifier)),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const to of next.get(file) ?? []) walk(to, [...path, file]);
      done.add(file);
    };
    for (const { file } of sources) walk(file, []);
    expect(cycles).toEqual([]);
  });
});

describe('code', () => {
  it('has no default exports', () => {
    const isDefault = (node: ts.Node) =>
      (ts.isExportAssignment(node) && !node.isExportEquals) ||
      (node.kind === ts.SyntaxKind.DefaultKeyword && node.parent.kind !== ts.SyntaxKind.DefaultClause) ||
      (ts.isExportSpecifier(node) && node.name.text === 'default');
    expect(places(isDefault)).toEqual([]);
  });

  it('has no any, and no comment that silences the compiler', () => {
    expect(places((node) => node.kind === ts.SyntaxKind.AnyKeyword)).toEqual([]);
    const silenced = sources.filter(({ tree }) => /@ts-(ignore|nocheck|expect-error)/.test(tree.text));
    expect(silenced.map(({ file }) => file)).toEqual([]);
  });

  it('draws no random number without a seed', () => {
    const isUnseeded = (node: ts.Node) =>
      ts.isPropertyAccessExpression(node) &&
      ts.isIdentifier(node.expression) &&
      ((node.expression.text === 'Math' && node.name.text === 'random') ||
        (node.expression.text === 'crypto' && /^random|^getRandom/.test(node.name.text)));
    expect(places(isUnseeded)).toEqual([]);
  });
});

describe('browsers', () => {
  it('Node modules are imported by name in files for Node only', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      isForNode(file)
        ? []
        : imports
            .filter((specifier) => specifier.startsWith('node:'))
            .map((specifier) => `${file} → ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('no other file imports a file for Node', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      isForNode(file)
        ? []
        : imports
            .filter((specifier) => isRelative(specifier) && isForNode(target(file, specifier)))
            .map((specifier) => `${file} → ${target(file, specifier)}`),
    );
    expect(wrong).toEqual([]);
  });

  it('globals of Node are touched only after a test that they are there', () => {
    const globals = new Set(['process', 'Buffer', 'require', '__dirname', '__filename', 'global']);
    const isFree = (node: ts.Identifier) =>
      !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) &&
      !(ts.isPropertyAssignment(node.parent) && node.parent.name === node) &&
      !ts.isPropertySignature(node.parent) &&
      !ts.isMethodSignature(node.parent);
    const tested = (source: Source) => /typeof process\b|globalThis\.process\?\./.test(source.tree.text);
    const wrong = places(
      (node, source) =>
        ts.isIdentifier(node) &&
        globals.has(node.text) &&
        isFree(node) &&
        !isForNode(source.file) &&
        !(node.text === 'process' && tested(source)),
    );
    expect(wrong).toEqual([]);
  });
});
