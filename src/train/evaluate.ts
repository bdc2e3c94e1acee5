/** How often a model says exactly the right thing, and how often the right thing about another picture. */
import type { CogVLM } from '../models/cogvlm/index.ts';
import type { Rng } from '../tensor/index.ts';
import { type Dataset, examplesAt } from './dataset.ts';
import { answers, exactMatches } from './metrics.ts';
import { streamRng } from './streamRng.ts';

/** How many of how many are right. */
export interface Score {
  readonly right: number;
  readonly of: number;
}

/** How answers are asked for. */
export interface EvaluateOptions {
  readonly maxNewTokens: number;
  /** Examples that are decoded and answered at a time; default 32. */
  readonly batchSize?: number;
  /** Of what a dataset draws; default 0. */
  readonly seed?: number;
}

/** Whether the model's greedy answer to each example is the expected one, token for token. */
export async function evaluate(
  model: CogVLM,
  dataset: Dataset,
  { maxNewTokens, batchSize = 32, seed = 0 }: EvaluateOptions,
): Promise<boolean[]> {
  const right: boolean[] = [];
  while (right.length < dataset.length) {
    const size = Math.min(batchSize, dataset.length - right.length);
    const indices = Array.from({ length: size }, (_, i) => right.length + i);
    const examples = await examplesAt(dataset, indices, streamRng(seed, 'evaluation', right.length));
    right.push(...exactMatches(await answers(model, examples, maxNewTokens, batchSize), examples));
  }
  return right;
}

/** Counts what is right. */
export function scoreOf(right: readonly boolean[]): Score {
  return { right: right.filter(Boolean).length, of: right.length };
}

/**
 * The same questions and answers, each with the picture of another example, half the list away: what a model gets right of
 * these it did not see in the picture.
 * @throws RangeError where there is no other example
 */
export function shuffledControl(dataset: Dataset): Dataset {
  const { length } = dataset;
  if (length < 2) throw new RangeError(`shuffledControl(dataset): needs two examples, got ${length}`);
  return {
    length,
    async example(index: number, rng: Rng) {
      const own = await dataset.example(index, rng);
      const other = await dataset.example((index + Math.floor(length / 2)) % length, rng);
      return { ...own, pixels: other.pixels };
    },
  };
}
