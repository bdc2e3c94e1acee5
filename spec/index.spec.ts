/** The package's two entries: what the main one reaches must load in a browser. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../src');

/** Files of the project that a file reaches, and the modules of Node that they import. */
function reach(entry: string): { files: Set<string>; node: string[] } {
  const files = new Set<string>();
  const node: string[] = [];
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport\(?)\s*'([^']+)'/g)) {
      if (name.startsWith('node:')) node.push(`${file}: ${name}`);
      else if (name.startsWith('.')) visit(join(dirname(file), name));
    }
  };
  visit(join(SRC, entry));
  return { files, node };
}

describe('the entries of the package', () => {
  it('index.ts reaches nothing that only Node has', () => {
    const { files, node } = reach('index.ts');
    expect(node).toEqual([]);
    expect(files.size).toBeGreaterThan(80);
  });

  it('node.ts adds reading and writing of files', async () => {
    expect(reach('node.ts').node).not.toEqual([]);
    const [index, node] = await Promise.all([import('../src/index.ts'), import('../src/node.ts')]);
    const added = Object.keys(node).filter((name) => !(name in index));
    expect(added).toEqual(
      expect.arrayContaining(['goldenFolder', 'loadPretrained', 'openCheckpointFolder', 'savePretrained']),
    );
    for (const name of Object.keys(index)) expect(node).toHaveProperty(name);
  });
});
