/** What a run sees: epochs, examples that are decoded late, the seed rule, and evaluation with its control. */
import { describe, expect, it } from 'vitest';
import { CogVLM } from '../../src/models/cogvlm/index.ts';
import { Rng } from '../../src/tensor/index.ts';
import {
  answers,
  type Dataset,
  Epochs,
  type Example,
  evaluate,
  examplesAt,
  scoreOf,
  shuffledControl,
  streamRng,
} from '../../src/train/index.ts';
import { trainingConfig as config } from '../support/trainingConfig.ts';

describe('Epochs', () => {
  it('goes through all examples in each epoch, in another order each time', () => {
    const epochs = new Epochs(7, 3);
    const seen = [0, 1, 2, 3, 4, 5, 6].flatMap((step) => epochs.batch(step, 3));
    const orders = [seen.slice(0, 7), seen.slice(7, 14), seen.slice(14, 21)];
    for (const order of orders) expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(orders.map(String)).size).toBe(3);
  });

  it('depends on seed and place alone, and batches may be larger than an epoch', () => {
    const all = new Epochs(5, 1).batch(0, 60);
    const epochs = new Epochs(5, 1);
    for (const step of [9, 0, 4, 2]) expect(epochs.batch(step, 6)).toEqual(all.slice(6 * step, 6 * step + 6));
    expect(new Epochs(5, 2).batch(0, 60)).not.toEqual(all);
  });

  it('refuses what is no number of examples, and no batch', () => {
    for (const length of [0, -1, 1.5, Number.NaN])
      expect(() => new Epochs(length, 1)).toThrow(`a whole number of examples from 1 on, got ${length}`);
    for (const [step, size] of [
      [-1, 2],
      [0, 0],
      [0.5, 3],
    ])
      expect(() => new Epochs(3, 1).batch(step, size)).toThrow(`no batch ${step} of ${size} examples`);
  });
});

describe('streamRng', () => {
  const first = (seed: number, stream: string, index: number) => streamRng(seed, stream, index).uint32();

  it('is another generator for every seed, stream and place, and the same for the same', () => {
    const drawn = new Set<number>();
    for (const seed of [0, 1, 64, -1])
      for (const stream of ['step', 'epoch', 'evaluation'])
        for (let index = 0; index < 200; index++) drawn.add(first(seed, stream, index));
    expect(drawn.size).toBe(4 * 3 * 200);
    expect(first(1, 'step', 23)).toBe(first(1, 'step', 23));
    expect(first(1, 'step', 2 ** 40)).not.toBe(first(1, 'step', 2 ** 41));
  });

  it('refuses what is no seed and no place', () => {
    expect(() => streamRng(0.5, 'step', 1)).toThrow('streamRng(seed): needs a safe integer, got 0.5');
    expect(() => streamRng(1, 'step', Number.NaN)).toThrow('streamRng(index): needs a safe integer, got NaN');
  });
});

/** Pictures of one number each, all asked for one answer; remembers which were decoded. */
function gallery(length: number, answerOf: (index: number) => number[]) {
  const decoded: number[] = [];
  const dataset: Dataset = {
    length,
    async example(index): Promise<Example> {
      decoded.push(index);
      return { prompt: [], answer: answerOf(index), pixels: new Float32Array(3 * 8 * 8).fill(index) };
    },
  };
  return { dataset, decoded };
}

describe('examplesAt', () => {
  it('decodes what is asked for, in order, and hands on the random numbers', async () => {
    const { dataset, decoded } = gallery(5, () => [7]);
    const examples = await examplesAt(dataset, [3, 0, 3], new Rng(1));
    expect(decoded).toEqual([3, 0, 3]);
    expect(examples.map(({ pixels }) => pixels?.[0])).toEqual([3, 0, 3]);
    const drawing: Dataset<number> = { length: 2, example: (_, rng) => rng.uint32() };
    const rng = new Rng(4);
    expect(await examplesAt(drawing, [0, 1, 0], new Rng(4))).toEqual([
      rng.uint32(),
      rng.uint32(),
      rng.uint32(),
    ]);
  });

  it('refuses an example that is not there', async () => {
    for (const index of [5, -1, 0.5]) {
      await expect(examplesAt(gallery(5, () => []).dataset, [index], new Rng(1))).rejects.toThrow(
        `examplesAt(indices): ${index} is none of the 5 examples`,
      );
    }
  });
});

describe('evaluate', () => {
  it('says of each example whether its answer is right, a batch at a time', async () => {
    const model = new CogVLM(config, { rng: new Rng(5) });
    const { dataset } = gallery(5, () => []);
    const said = await answers(model, await examplesAt(dataset, [0, 1, 2, 3, 4], new Rng(1)), 3);
    const { dataset: known, decoded } = gallery(5, (i) => (i === 2 ? [...said[i], 1] : said[i]));
    const right = await evaluate(model, known, { maxNewTokens: 3, batchSize: 2 });
    expect(right).toEqual([true, true, false, true, true]);
    expect(decoded).toEqual([0, 1, 2, 3, 4]);
    expect(scoreOf(right)).toEqual({ right: 4, of: 5 });
  });

  it('controls with the pictures of others', async () => {
    const control = shuffledControl(gallery(5, (i) => [i]).dataset);
    const shown = await examplesAt(control, [0, 1, 2, 3, 4], new Rng(1));
    expect(shown.map(({ pixels }) => pixels?.[0])).toEqual([2, 3, 4, 0, 1]);
    expect(shown.map(({ answer }) => answer)).toEqual([[0], [1], [2], [3], [4]]);
    expect(() => shuffledControl(gallery(1, () => []).dataset)).toThrow('needs two examples, got 1');
  });
});
