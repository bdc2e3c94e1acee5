/** The letters of docs/glossary.md are the letters of the source: in every @shape tag, every file's legend, under every root. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const filesOf = (folder: string, ending: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => join(folder, path));

const sources = filesOf('src', '.ts').map((file) => ({ file, text: read(file) }));

/** Letters and what they mean. */
const glossary = new Map(
  [...read('docs/glossary.md').matchAll(/^\| (?!letter)([^|-]+) \| (.+) \|$/gm)].flatMap(
    ([, letters, meaning]) => letters.split(', ').map((letter) => [letter, meaning]),
  ),
);

describe('letters', () => {
  it('are told once each', () => {
    expect([...glossary.keys()]).toEqual(
      expect.arrayContaining(['B', 'T', 'S', 'D', 'H', 'H_kv', 'K', 'n_I', 'g']),
    );
    expect(glossary.get('K')).toContain('head width');
  });

  it('of every @shape tag are of the glossary', () => {
    const unknown: string[] = [];
    let tags = 0;
    for (const { file, text } of sources) {
      for (const [tag] of text.matchAll(/@shape .*/g)) {
        tags++;
        for (const [, shape] of tag.matchAll(/\[([^\]]*)\]/g)) {
          // Words (height, out, count) say what they are; letters are looked up.
          for (const [name] of shape.matchAll(/[A-Za-z]+(_[A-Za-z]+)?/g)) {
            if (!/^[a-z]{2,}$/.test(name) && !glossary.has(name)) unknown.push(`${file}: ${name} in ${tag}`);
          }
        }
      }
    }
    expect(unknown).toEqual([]);
    expect(tags).toBeGreaterThan(20);
  });

  it('of every legend in a head mean what they mean in the glossary', () => {
    const wrong: string[] = [];
    let legends = 0;
    for (const { file, text } of sources) {
      const head = text.slice(0, text.indexOf('*/')).replaceAll(/\n \* ?/g, '\n');
      const legend = head.split('\n\n').find((paragraph) => /^B \w+, /.test(paragraph.trim()));
      if (legend === undefined) continue;
      legends++;
      for (const item of legend
        .trim()
        .replaceAll('\n', ' ')
        .replace(/ \((?:[^()]|\([^()]*\))*\)/g, '')
        .split(/[,;] /)) {
        const [, letters, what] = /^(\S+(?: and \S+)?) (.+)$/.exec(item) ?? [];
        const known = letters?.split(' and ').every((letter) => {
          const meaning = glossary.get(letter);
          return meaning?.includes(what.split(' ').pop() as string);
        });
        if (!known) wrong.push(`${file}: ${item}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(legends).toBeGreaterThan(3);
  });

  it('under the root of eq. (1) is K, the head width, wherever it is written', () => {
    const found: string[] = [];
    const texts = [
      ...sources,
      ...[...filesOf('docs', '.md'), 'README.md'].map((file) => ({ file, text: read(file) })),
    ];
    for (const { file, text } of texts) {
      for (const [formula, letter] of text.matchAll(/K(?:ᵀ|\^T)\)?\s*\/\s*√\(?([A-Za-z_]+)/g)) {
        found.push(file);
        expect(letter, `${file}: ${formula}`).toBe('K');
      }
    }
    expect(found).toEqual(expect.arrayContaining(['README.md', 'src/models/cogvlm/visualExpert.ts']));
  });
});
