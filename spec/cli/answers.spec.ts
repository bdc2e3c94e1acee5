/** caption, ask and demo with a tiny model: what it says is noise, but always the same noise. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpointFolder, writeCheckpointFolder } from '../../src/data/safetensors/node.ts';
import { tinyTokenizerJson } from '../support/tinyTokenizer.ts';
import { cli, cliWith, GOLDENS } from './support.ts';

const image0 = join(GOLDENS, 'cogvlm/image0.png');
const image1 = join(GOLDENS, 'cogvlm/image1.jpg');
let folder: string;
let model: string;
let baseModel: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answers-'));
  model = join(folder, 'chat');
  baseModel = join(folder, 'base');
  await cp(join(GOLDENS, 'cogvlm/checkpoint'), model, { recursive: true });
  await writeFile(join(model, 'tokenizer.json'), JSON.stringify(tinyTokenizerJson()));
  await cp(model, baseModel, { recursive: true });
  const config = JSON.parse(await readFile(join(model, 'config.json'), 'utf8'));
  await writeFile(join(baseModel, 'config.json'), JSON.stringify({ ...config, template_version: 'base' }));
});
afterAll(() => rm(folder, { recursive: true }));

const options = ['--backend', 'cpu', '--max-new-tokens', '8'];

async function json(...argv: string[]) {
  const { status, out, err } = await cli(...argv, '--json', ...options);
  expect(err).toBe('');
  expect(status).toBe(0);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('cogvlm caption', () => {
  it('prints the text of one picture, and names those of several', async () => {
    const lines = await json('caption', '--model', model, image0, image1);
    expect(lines.map(({ image }) => image)).toEqual([image0, image1]);
    expect(lines[0]).toMatchObject({ backend: 'cpu', tokens: 8, finished: 'length' });
    expect(lines[0].text).not.toBe(lines[1].text);

    const one = await cli('caption', '--model', model, ...options, image0);
    expect(one).toEqual({ status: 0, out: `${lines[0].text}\n`, err: '' });
    const two = await cli('caption', '--model', model, ...options, image0, image1);
    expect(two.out).toBe(`${image0}: ${lines[0].text}\n${image1}: ${lines[1].text}\n`);
  });

  it('says the same in float64, where the backend has it', async () => {
    const [single] = await json('caption', '--model', model, image0);
    const [double] = await json('caption', '--model', model, '--dtype', 'float64', image0);
    expect(double).toMatchObject({ ...single, seconds: double.seconds });
    const argv = [
      'caption',
      '--model',
      model,
      '--backend',
      'gpujs',
      '--mode',
      'cpu',
      '--dtype',
      'float64',
      image0,
    ];
    const refused = await cli(...argv);
    expect([refused.status, refused.out]).toEqual([2, '']);
    expect(refused.err).toContain(
      '--dtype: the gpujs backend computes in float32, int32, bool, not in float64',
    );
  });

  it('stops at the first number that is none where it is told to, naming op and module', async () => {
    const broken = join(folder, 'broken');
    await cp(model, broken, { recursive: true });
    const checkpoint = await openCheckpointFolder(broken);
    const entries = [];
    for (const { name, dtype, shape } of checkpoint.tensors.values()) {
      const { data } = await checkpoint.read(name);
      if (name === 'model.layers.1.mlp.language_mlp.up_proj.weight') data[0] = Number.NaN;
      entries.push({ name, dtype, shape, data });
    }
    await checkpoint.close();
    await writeCheckpointFolder(broken, entries);
    const run = (...argv: string[]) => cli('caption', '--model', broken, ...options, ...argv, image0);
    expect((await run()).status).toBe(0);
    const { status, err } = await run('--check-finite');
    expect(status).toBe(1);
    expect(err).toMatch(
      /^cogvlm: permute gave NaN at element 0 of \[64,172\] in model\.layers\.1\.mlp\.language_mlp\.up_proj\n$/,
    );
    expect((await run()).status).toBe(0);
  });

  it('asks chat models for a description, and base models nothing', async () => {
    const [chat] = await json('caption', '--model', model, image0);
    const [asked] = await json('ask', '--model', model, image0, 'Describe this image.');
    expect(chat.text).toBe(asked.text);
    const [base] = await json('caption', '--model', baseModel, image0);
    const [empty] = await json('ask', '--model', baseModel, '--template', 'base', image0, '');
    expect(base.text).toBe(empty.text);
    expect(base.text).not.toBe(chat.text);
    const [prompted] = await json('caption', '--model', baseModel, '--prompt', 'a red', image0);
    const [same] = await json('ask', '--model', baseModel, '--template', 'base', image0, 'a red');
    expect(prompted.text).toBe(same.text);
    expect(prompted.text).not.toBe(base.text);
  });

  it('goes on after a picture that cannot be read', async () => {
    const { status, out, err } = await cli('caption', '--model', model, ...options, 'no.png', image1);
    expect(status).toBe(1);
    expect(err).toMatch(/^cogvlm: no\.png cannot be read: .*\n$/);
    expect(out).toMatch(new RegExp(`^${image1}: .+\n`));
  });

  it('says what a model folder lacks', async () => {
    const bare = join(GOLDENS, 'cogvlm/checkpoint');
    const { status, err } = await cli('caption', '--model', bare, ...options, image0);
    expect(status).toBe(1);
    expect(err).toMatch(/^cogvlm: .*tokenizer\.json is missing.*vicuna-7b-v1\.5.*\n$/);
    const [line] = await json('caption', '--model', bare, '--tokenizer', model, image0);
    expect(line.tokens).toBe(8);
  });
});

describe('cogvlm ask', () => {
  it("asks in the model's template, base models in vqa", async () => {
    const [chat] = await json('ask', '--model', model, image0, 'red?');
    const [base] = await json('ask', '--model', baseModel, image0, 'red?');
    const [vqa] = await json('ask', '--model', model, '--template', 'vqa', image0, 'red?');
    expect([chat.template, base.template, vqa.template]).toEqual(['chat', 'vqa', 'vqa']);
    expect(base.text).toBe(vqa.text);
    expect(base.text).not.toBe(chat.text);
    const { out } = await cli('ask', '--model', model, ...options, image0, 'red?');
    expect(out).toBe(`${chat.text}\n`);
  });

  it('says what is wrong with a picture', async () => {
    const { status, err } = await cli(
      'ask',
      '--model',
      model,
      ...options,
      join(model, 'config.json'),
      'red?',
    );
    expect(status).toBe(1);
    expect(err).toMatch(/^cogvlm: image .*unknown format, expected PNG or JPEG.*\n$/);
  });
});

describe('cogvlm demo', () => {
  it('compares captions with the truth, and with that of other pictures', async () => {
    const shown = join(folder, 'demo');
    await cp(model, shown, { recursive: true });
    await mkdir(join(shown, 'pictures'));
    await cp(image0, join(shown, 'pictures/one.png'));
    await cp(image1, join(shown, 'pictures/two.jpg'));
    const entry = { kind: 'noise', style: 'plain', license: 'CC0-1.0' };
    const manifest = (one: string, two: string) =>
      writeFile(
        join(shown, 'pictures/manifest.json'),
        JSON.stringify([
          { file: 'one.png', caption: one, ...entry },
          { file: 'two.jpg', caption: two, ...entry },
        ]),
      );
    await manifest('?', '?');
    const argv = ['demo', '--model', shown, ...options];
    const { pictures } = JSON.parse((await cli(...argv, '--json')).out);
    const [one, two]: string[] = pictures.map(({ model }: { model: string }) => model);

    await manifest(one, 'something else');
    const half = await cli(...argv);
    expect(half.status).toBe(0);
    expect(half.out).toMatch(/^one\.png \(plain\) .*✓$/ms);
    expect(half.out).toMatch(/two\.jpg \(plain\) .*something else +✗/s);
    expect(half.out).toMatch(/1 of 2 \(50 %\) captions right; 0 of 2 \(0 %\) when .* s per caption on cpu/);

    const color = { color: true, trueColor: true };
    const drawn = (await cliWith(color, ...argv)).out;
    expect(drawn.split('▀')).toHaveLength(1 + 2 * 16 * 8);
    expect(drawn).toContain('\u001b[38;2;');
    const plain = await cliWith(color, ...argv, '--no-pictures');
    expect(plain.out).not.toContain('▀');
    expect(plain.out).toContain('\u001b[32mone.png');

    await manifest(two, one);
    expect(JSON.parse((await cli(...argv, '--json')).out)).toMatchObject({ right: 0, shuffledRight: 2 });
  });

  it('says what its manifest lacks', async () => {
    await mkdir(join(model, 'pictures'));
    await writeFile(join(model, 'pictures/manifest.json'), '[{"file": "a.png"}]');
    const { status, err } = await cli('demo', '--model', model);
    expect(status).toBe(1);
    expect(err).toMatch(/manifest\.json: entry 0: caption is no text\n$/);
  });
});
