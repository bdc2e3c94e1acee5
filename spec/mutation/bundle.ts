/** A bundle of the library with the mutants of one file, the checks, and specs (Node only). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import type ts from 'typescript';
import type { Mutant } from './kinds.ts';
import { type Alike, mutate, parse } from './mutate.ts';

export const ROOT = join(import.meta.dirname, '../..');
const HERE = import.meta.dirname;
const ENTRY = join(HERE, 'entry.virtual.ts');

export interface Bundle {
  /** Of the module to import; see `Checks`. */
  readonly url: string;
  readonly mutants: readonly Mutant[];
  remove(): void;
}

/** What the bundle exports. */
export interface Checks {
  /** 0 switches all mutants off. */
  activate(id: number): void;
  /** @throws what fails first in the named check */
  check(name: string): Promise<void>;
}

export const readSource = (file: string): ts.SourceFile =>
  parse(join(ROOT, file), readFileSync(join(ROOT, file), 'utf8'));

const importOf = (names: string, file: string) => `import ${names} from ${JSON.stringify(file)};`;

/** @param file path in the project, as in its imports; @param specs paths of specs to put into the bundle */
export async function bundleMutants(
  source: ts.SourceFile,
  specs: readonly string[] = [],
  alike?: Alike,
): Promise<Bundle> {
  const { text, mutants } = mutate(source, alike);
  const file = resolve(source.fileName);
  // On the first line of the source, so that lines keep their numbers.
  const imports = Object.entries(SWITCHES).flatMap(([name, from]) =>
    text.includes(name) ? [importOf(`{ ${name} }`, join(HERE, from))] : [],
  );
  const replaced = new Map([[file, [...imports, text].join(' ')]]);
  for (const spec of specs) replaced.set(join(ROOT, spec), specText(spec));
  const entry = [
    ...specs.map((spec) => `import ${JSON.stringify(join(ROOT, spec))};`),
    `export { activate } from ${JSON.stringify(join(HERE, 'active.ts'))};`,
    `export { check } from ${JSON.stringify(join(HERE, 'checks.ts'))};`,
  ];
  try {
    return { mutants, ...(await writeBundle(ENTRY, new Map([...replaced, [ENTRY, entry.join('\n')]]))) };
  } catch (error) {
    throw new Error(`${relative(ROOT, file)}: its mutants do not make a bundle: ${(error as Error).message}`);
  }
}

/** One file of JavaScript, which `remove` takes away again. @param texts in place of what files hold */
export async function writeBundle(
  input: string,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<Pick<Bundle, 'url' | 'remove'>> {
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id) && id !== 'vitest',
    treeshake: false,
    plugins: [
      {
        name: 'mutants',
        resolveId: (id) => (texts.has(id) ? id : id === 'vitest' ? join(HERE, 'standIn.ts') : null),
        load: (id) => texts.get(id) ?? null,
        // Where the file lay before it was bundled.
        transform: (code, id) => code.replaceAll('import.meta.dirname', () => JSON.stringify(dirname(id))),
      },
    ],
  });
  // In node_modules, where packages are found as from the source.
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'mutants-'));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    const out = join(folder, 'entry.mjs');
    await bundle.write({ file: out, format: 'esm', codeSplitting: false });
    return { url: pathToFileURL(out).href, remove };
  } catch (error) {
    remove();
    throw error;
  } finally {
    await bundle.close();
  }
}

/** What mutated text asks for. */
const SWITCHES = { active: 'active.ts', scaled: 'spoil.ts' };

/** A spec that says which it is. */
function specText(spec: string): string {
  const text = readFileSync(join(ROOT, spec), 'utf8');
  return `${importOf('{ begin }', join(HERE, 'standIn.ts'))} begin(${JSON.stringify(spec)}); ${text}`;
}
