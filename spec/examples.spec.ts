/** The numbered examples run as they stand, on the sources. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

const EXAMPLES = join(import.meta.dirname, '../examples');

/** What an example prints, line by line. */
async function run(file: string): Promise<string[]> {
  const lines: string[] = [];
  const show = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const log = vi
    .spyOn(console, 'log')
    .mockImplementation((...args) => void lines.push(args.map(show).join(' ')));
  const { argv } = process;
  process.argv = argv.slice(0, 2);
  try {
    await import(join(EXAMPLES, file));
  } finally {
    log.mockRestore();
    process.argv = argv;
  }
  return lines;
}

const EXPECTED: Readonly<Record<string, (lines: string[]) => void>> = {
  '01-tensors-and-gradients.ts': (lines) => {
    expect(lines[0]).toBe('a · a = [7,10,15,22]');
    expect(lines[1]).toMatch(/^y = \d+\.\d+ {2}dy\/dw = \[-?\d/);
    expect(lines.slice(2)).toEqual(['slope 3.000 offset -1.000']);
  },
  '02-load-and-caption.ts': ([caption, ...pieces]) => {
    expect(caption).toBe('caption: camera');
    expect(
      pieces
        .map((line) => line.replace('piece: ', ''))
        .join('')
        .trim(),
    ).toBe('device');
  },
  '03-train-a-tiny-cogvlm.ts': (lines) => {
    const losses = lines.slice(0, 4).map((line) => Number(line.split(' ').at(-1)));
    expect(losses[3]).toBeLessThan(0.3 * losses[0]);
    expect(lines[4]).toBe('bright, dark: [[5,6],[7]]');
  },
  '04-own-differentiable-function.ts': (lines) => {
    expect(lines[0]).toBe('softplus [0,0.693,1000]');
    expect(lines[1]).toBe('gradient [0,0.5,1]');
    expect(lines[2]).toMatch(/^composed \[0,0\.693,null\]/);
    expect(lines[3]).toBe('gradcheck finds nothing');
    expect(lines[4]).toMatch(/^and here: gradcheck: the gradient by inputs\[0\] is not what differences say/);
    expect(lines).toHaveLength(5);
  },
};

describe('examples', () => {
  it('are those that are known here', () => {
    expect(
      readdirSync(EXAMPLES)
        .filter((name) => name.endsWith('.ts'))
        .sort(),
    ).toEqual(Object.keys(EXPECTED));
  });

  it.each(Object.entries(EXPECTED))('%s', async (file, check) => check(await run(file)));
});
