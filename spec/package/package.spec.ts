/**
 * What npm would publish, built anew: it is in order for npm, bundlers and compilers, and its declarations compile where every
 * library is checked (skipLibCheck: false), with either resolution of modules, without the types of Node, of browsers and of
 * packages that users do not have. `npm run test:package` also installs and uses it.
 *
 * In one file, since `dist` is not there while it is built; no other spec looks at it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { check } from './check.mjs';
import { pack } from './pack.mjs';

const ROOT = join(import.meta.dirname, '../..');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** dist/index.d.ts, dist/node.d.ts, … */
const entries = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [join(ROOT, entry.types)],
);

/** What the compiler says of every declaration that the entries reach. */
function complaints(options: ts.CompilerOptions): string[] {
  const all: ts.CompilerOptions = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    types: [],
    ...options,
  };
  return ts
    .getPreEmitDiagnostics(ts.createProgram(entries, all))
    .map((found) => `${found.file?.fileName}: ${ts.flattenDiagnosticMessageText(found.messageText, '\n')}`);
}

it('publint, attw, links and maps find nothing wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    const packed = pack(folder);
    check(packed);
    expect(packed.files).toContain('dist/index.js');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('declarations', () => {
  it.each([
    ['nodenext', { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }],
    ['bundler', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ])('compile by themselves: %s', (_, options) => {
    expect(complaints(options)).toEqual([]);
  });

  it('name only packages that are installed with this one', () => {
    const named = new Set<string>();
    const visited = new Set<string>();
    const visit = (file: string): void => {
      if (visited.has(file)) return;
      visited.add(file);
      for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
        if (fileName.startsWith('.')) visit(join(dirname(file), fileName.replace(/\.[jt]s$/, '.d.ts')));
        else named.add(fileName);
      }
    };
    for (const file of entries) visit(file);
    expect(visited.size).toBeGreaterThan(40);
    expect([...named]).toEqual(['ndarray']);
    expect(manifest.dependencies).toHaveProperty('@types/ndarray');
  });
});
