/** Examples by number. Pictures are decoded, and changed where that is wanted, when their example is asked for. */
import type { Rng } from '../tensor/index.ts';
import type { Example } from './batch.ts';

/** Examples by their index, decoded when they are asked for. */
export interface Dataset<E = Example> {
  readonly length: number;
  /** @param rng for what is drawn anew each time: a changed picture, one question of several */
  example(index: number, rng: Rng): E | Promise<E>;
}

/** The examples of these indices, one after the other: each draws from where the one before it stopped. */
export async function examplesAt<E>(dataset: Dataset<E>, indices: readonly number[], rng: Rng): Promise<E[]> {
  const examples: E[] = [];
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= dataset.length) {
      throw new RangeError(`examplesAt(indices): ${index} is none of the ${dataset.length} examples`);
    }
    examples.push(await dataset.example(index, rng));
  }
  return examples;
}
