/** Every command with every path that is not what it should be: one clear line each, and no code of the file system. */
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyTokenizerJson } from '../support/tinyTokenizer.ts';
import { cli, GOLDENS } from './support.ts';

const picture = join(GOLDENS, 'cogvlm/image0.png');
const checkpoint = join(GOLDENS, 'cogvlm/checkpoint');
const folder = await mkdtemp(join(tmpdir(), 'wrong-paths-'));
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  await mkdir(at('folder'));
  await writeFile(at('empty'), '');
  await writeFile(at('secret'), 'x');
  await chmod(at('secret'), 0);
  await writeFile(at('text.txt'), 'not what it should be');
  await cp(checkpoint, at('model'), { recursive: true });
  await writeFile(at('model/tokenizer.json'), JSON.stringify(tinyTokenizerJson()));
  for (const [name, content] of [
    ['config-empty', ''],
    ['config-text', 'hello'],
    ['config-list', '[]'],
  ]) {
    await mkdir(at(name));
    await writeFile(at(join(name, 'config.json')), content);
  }
  await mkdir(at('config-folder/config.json'), { recursive: true });
  await cp(checkpoint, at('no-weights'), { recursive: true });
  for (const part of ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'])
    await rm(at(join('no-weights', part)));
  await writeFile(at('no-weights/tokenizer.json'), JSON.stringify(tinyTokenizerJson()));
});
afterAll(() => rm(folder, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const PICTURES: readonly [what: string, path: string, says: RegExp][] = [
  ['a missing file', 'nowhere.png', /there is no such file/],
  ['a folder', 'folder', /it is a folder, expected a file/],
  ['a file as a folder', 'empty/x.png', /is a file, expected a folder/],
  ['an empty file', 'empty', /image .*empty/],
  ['no picture', 'text.txt', /unknown format, expected PNG or JPEG/],
];
const MODELS: readonly [what: string, path: string, says: RegExp][] = [
  ['a missing folder', 'nowhere', /there is no folder .*nowhere, .*first-light/],
  ['a file', 'text.txt', /text\.txt is a file, expected a model folder/],
  ['an empty folder', 'folder', /config\.json cannot be read: there is no such file/],
  ['an empty config', 'config-empty', /config\.json cannot be read: it is empty/],
  ['a config that is no JSON', 'config-text', /config\.json cannot be read: .*JSON/],
  ['a config that is no object', 'config-list', /config\.json: expected an object/],
  ['a folder as config', 'config-folder', /config\.json cannot be read: it is a folder/],
  ['a folder without weights', 'no-weights', /model-0000\d-of-00002\.safetensors/],
];

async function oneLine(says: RegExp, ...argv: string[]): Promise<number> {
  const { status, out, err } = await cli(...argv);
  expect(out, argv.join(' ')).toBe('');
  expect(err, argv.join(' ')).toMatch(/^cogvlm: [^\n]+\n$/);
  expect(err).toMatch(says);
  expect(err).not.toMatch(/\bE[A-Z]{4,}\b|illegal operation|no such file or directory|\n +at /);
  return status;
}

const cpu = ['--backend', 'cpu', '--max-new-tokens', '2'];

describe('a picture', () => {
  it.each(PICTURES)('%s', async (_, path, says) => {
    expect(await oneLine(says, 'caption', ...cpu, '--model', at('model'), at(path))).toBe(1);
    expect(await oneLine(says, 'ask', ...cpu, '--model', at('model'), at(path), 'what?')).toBe(1);
  });

  it.skipIf(isRoot)('a file that may not be read', async () => {
    const says = /secret cannot be read: permission is denied/;
    expect(await oneLine(says, 'caption', ...cpu, '--model', at('model'), at('secret'))).toBe(1);
  });

  it.skipIf(process.platform === 'win32')('a device', async () => {
    expect(await oneLine(/a device or a pipe/, 'caption', ...cpu, '--model', at('model'), '/dev/zero')).toBe(
      1,
    );
  });
});

describe('a model', () => {
  it.each(MODELS)('%s', async (_, path, says) => {
    const model = ['--model', at(path)];
    expect(await oneLine(says, 'caption', ...cpu, ...model, picture)).toBe(1);
    expect(await oneLine(says, 'ask', ...cpu, ...model, picture, 'what?')).toBe(1);
    expect(await oneLine(says, 'info', at(path))).toBe(1);
  });

  it.each(MODELS.slice(0, -1))('of the demo: %s', async (_, path, says) => {
    expect(await oneLine(says, 'demo', ...cpu, '--model', at(path))).toBe(1);
  });

  it('without pictures to demonstrate', async () => {
    const says = /manifest\.json cannot be read: there is no such file/;
    expect(await oneLine(says, 'demo', ...cpu, '--model', at('model'))).toBe(1);
  });

  it.each([
    ['a missing folder', 'nowhere'],
    ['a file', 'text.txt'],
    ['an empty folder', 'folder'],
  ])('its tokenizer: %s', async (_, path) => {
    const argv = ['caption', ...cpu, '--model', checkpoint, '--tokenizer', at(path), picture];
    expect(await oneLine(/tokenizer\.json is missing/, ...argv)).toBe(1);
  });
});

describe('a golden folder', () => {
  it.each([
    ['missing', 'nowhere', /nowhere: cannot read the folder: there is no such/],
    ['a file', 'text.txt', /text\.txt: cannot read the folder: .* is a file, expected a folder/],
    ['empty', 'folder', /folder(: | has no trace\.json)/],
  ])('%s', async (_, path, says) => {
    expect(await oneLine(says, 'verify', at(path))).toBe(1);
    expect(await oneLine(says, 'verify', '--trace', at(path))).toBe(1);
  });

  it.each([
    ['--json', 'folder', /folder cannot be written: it is a folder/],
    ['--json', 'nowhere/x.json', /x\.json cannot be written: there is no such/],
    ['--report', 'empty/x.html', /x\.html cannot be written: .* is a file, expected a folder/],
  ])('%s to %s', async (option, path, says) => {
    const { status, err } = await cli('verify', '--quiet', option, at(path), join(GOLDENS, 'preprocess'));
    expect([status, err]).toEqual([1, expect.stringMatching(says)]);
    expect(err).toMatch(/^cogvlm: [^\n]+\n$/);
    expect(err).not.toMatch(/\bE[A-Z]{4,}\b/);
  });
});

describe('a question', () => {
  it.each(['', '  '])('that is empty: %j', async (question) => {
    expect(
      await oneLine(/the question is empty/, 'ask', ...cpu, '--model', at('model'), picture, question),
    ).toBe(2);
  });
});
