/** Pictures and text in, text out; and model folders that are saved as they were loaded. */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/data/image/index.ts';
import { Tokenizer } from '../../src/data/tokenizer.ts';
import { collectAnswer, type PretrainedCogVLM } from '../../src/models/cogvlm/index.ts';
import { loadPretrained, savePretrained } from '../../src/models/cogvlm/node.ts';
import { tinyTokenizerJson } from '../support/tinyTokenizer.ts';

const GOLDEN = join(import.meta.dirname, '../goldens/cogvlm');
const picture = readFileSync(join(GOLDEN, 'image0.png'));
const golden = JSON.parse(readFileSync(join(GOLDEN, 'case.json'), 'utf8'));

let folder: string;
let cogvlm: PretrainedCogVLM;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pretrained-'));
  await cp(join(GOLDEN, 'checkpoint'), join(folder, 'model'), { recursive: true });
  await writeFile(join(folder, 'model/tokenizer.json'), JSON.stringify(tinyTokenizerJson()));
  cogvlm = await loadPretrained(join(folder, 'model'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A tokenizer that makes the golden case's ids of any text. */
class GoldenPrompt extends Tokenizer {
  override encode(): number[] {
    return golden.texts[0];
  }
}

describe('PretrainedCogVLM', () => {
  it('generates the tokens that PyTorch does', async () => {
    const { PretrainedCogVLM } = await import('../../src/models/cogvlm/index.ts');
    const asGolden = new PretrainedCogVLM(cogvlm.model, new GoldenPrompt(tinyTokenizerJson()));
    const { tokens } = await collectAnswer(asGolden.complete(picture, 'any', { maxNewTokens: 8 }));
    const stop = golden.greedy_tokens.indexOf(2) + 1;
    const expected = golden.greedy_tokens.slice(0, 8);
    expect(tokens).toEqual(stop > 0 ? expected.slice(0, stop) : expected);
  });

  it('streams what it collects, and says how it ended', async () => {
    const pieces: string[] = [];
    const answer = await collectAnswer(cogvlm.ask(picture, 'red?', { maxNewTokens: 12 }), (piece) =>
      pieces.push(piece),
    );
    expect(pieces.join('')).toBe(answer.text);
    expect(answer.text).toBe(cogvlm.tokenizer.decode(answer.tokens).trimStart());
    expect(answer.finished).toBe(answer.tokens.at(-1) === 2 ? 'stop' : 'length');
    if (answer.finished === 'length') expect(answer.tokens).toHaveLength(12);
  });

  it('takes decoded pictures and bytes, and looks at them', async () => {
    const answer = async (image: Parameters<typeof cogvlm.ask>[0]) =>
      (await collectAnswer(cogvlm.ask(image, 'red?', { maxNewTokens: 6 }))).tokens;
    const other = readFileSync(join(GOLDEN, 'image2.png'));
    expect(await answer(decodeImage(picture))).toEqual(await answer(picture));
    expect(await answer(other)).not.toEqual(await answer(picture));
    expect(await answer(null)).not.toEqual(await answer(picture));
  });

  it('captions by asking for a description, unless told what to ask', async () => {
    const first = async (stream: ReturnType<typeof cogvlm.caption>) => (await collectAnswer(stream)).tokens;
    const options = { maxNewTokens: 4 };
    expect(await first(cogvlm.caption(picture, options))).toEqual(
      await first(cogvlm.complete(picture, 'Question: Describe this image. Answer:', options)),
    );
    expect(await first(cogvlm.caption(picture, { ...options, prompt: 'a?' }))).toEqual(
      await first(cogvlm.complete(picture, 'Question: a? Answer:', options)),
    );
  });

  it('refuses what is no number of tokens', async () => {
    const start = cogvlm.caption(picture, { maxNewTokens: 0 }).next();
    await expect(start).rejects.toThrow('maxNewTokens is 0, expected a whole number from 1 on');
  });
});

describe('model folders', () => {
  it('are saved as they are loaded', async () => {
    for (const dtype of ['F32', 'BF16'] as const) {
      const [first, second] = [join(folder, `${dtype}-1`), join(folder, `${dtype}-2`)];
      await savePretrained(first, cogvlm, { dtype, maxShardBytes: 200_000 });
      await savePretrained(second, await loadPretrained(first), { dtype, maxShardBytes: 200_000 });
      const names = await readdir(first);
      expect(await readdir(second)).toEqual(names);
      expect(names).toContain('tokenizer.json');
      for (const name of names) {
        const [one, two] = await Promise.all([first, second].map((path) => readFile(join(path, name))));
        expect(one.equals(two), name).toBe(true);
      }
    }
  });

  it('may have their tokenizer elsewhere, and say where to get one', async () => {
    const bare = join(GOLDEN, 'checkpoint');
    await expect(loadPretrained(bare)).rejects.toThrow(/tokenizer\.json is missing.*lmsys\/vicuna-7b-v1\.5/);
    const loaded = await loadPretrained(bare, { tokenizer: join(folder, 'model') });
    expect(loaded.tokenizer.decode(loaded.tokenizer.encode('a red'))).toBe('a red');
  });

  it('are named when they are not there', async () => {
    await expect(loadPretrained(join(folder, 'nowhere'))).rejects.toThrow(
      /nowhere.config\.json cannot be read/,
    );
  });
});
