/** Files are replaced as a whole, and what a killed process left beside them is in nobody's way. */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWriteError, replaceFile, replaceFiles } from '../../src/data/replaceFile.ts';
import { writeSafetensorsFile } from '../../src/data/safetensors/node.ts';

/** No system gives a process this number. */
const NOBODY = 999_999_999;
const LONG_AGO = new Date(2020, 1, 1);

describe('replaceFile', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cogvlm-replace-'));
    path = join(folder, 'a.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes, replaces, and leaves nothing beside', async () => {
    await replaceFile(path, 'old');
    await replaceFile(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('keeps the old file, and nothing beside it, where writing fails', async () => {
    await replaceFile(path, 'old');
    const written = replaceFiles([
      { path, write: (handle) => handle.writeFile('new') },
      { path: join(folder, 'b'), write: () => Promise.reject(new Error('disk full')) },
    ]);
    await expect(written).rejects.toThrow(`${join(folder, 'b')} cannot be written: disk full`);
    await expect(written).rejects.toBeInstanceOf(FileWriteError);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a.json']);
    await mkdir(join(folder, 'c'));
    await expect(replaceFile(join(folder, 'c'), 'x')).rejects.toThrow(
      `${join(folder, 'c')} cannot be written: `,
    );
    expect(await readdir(folder)).toEqual(['a.json', 'c']);
  });

  it('removes what killed processes left, and nothing else', async () => {
    const left = [`${process.pid}-0`, `${process.pid}-1`, `${process.pid}-abc123-0`, `${NOBODY}-abc123-7`];
    const others = [`${NOBODY}-abc123-8`, `${process.ppid}-abc123-0`];
    for (const name of [...left, ...others]) await writeFile(`${path}.${name}.tmp`, 'half');
    for (const name of [left[3], others[1]]) await utimes(`${path}.${name}.tmp`, LONG_AGO, LONG_AGO);
    await writeFile(join(folder, `b.json.${process.pid}-0.tmp`), 'of another file');
    await writeFile(`${path}.mine.tmp`, 'of a user');
    await replaceFile(path, 'new');
    expect((await readdir(folder)).sort()).toEqual(
      [
        'a.json',
        ...others.map((name) => `a.json.${name}.tmp`),
        'a.json.mine.tmp',
        `b.json.${process.pid}-0.tmp`,
      ].sort(),
    );
  });

  it('serves safetensors files, too', async () => {
    const file = join(folder, 'run.safetensors');
    for (let i = 0; i < 40; i++) await writeFile(`${file}.${process.pid}-${i}.tmp`, 'half');
    await writeSafetensorsFile(file, []);
    expect(await readdir(folder)).toEqual(['run.safetensors']);
  });
});
