/**
 * Which examples a step sees: an endless sequence of epochs, each of which goes through all examples in an order of its own.
 * What stands at a place depends on the seed and the place alone, so that a resumed run finds what it would have seen.
 */
import { streamRng } from './streamRng.ts';

/** Indices of a data set in a new order each time round. */
export class Epochs {
  /** Examples in an epoch. */
  readonly length: number;
  readonly #seed: number;
  /** The epoch that was asked for last. */
  #last: { readonly epoch: number; readonly order: readonly number[] } | null = null;

  /** @throws RangeError where there are no examples */
  constructor(length: number, seed: number) {
    if (!Number.isSafeInteger(length) || length < 1) {
      throw new RangeError(`Epochs(length): needs a whole number of examples from 1 on, got ${length}`);
    }
    this.length = length;
    this.#seed = seed;
  }

  /**
   * The examples of the batch after `step` others.
   * @throws RangeError for a step or size that is none
   */
  batch(step: number, batchSize: number): number[] {
    const from = step * batchSize;
    if (!Number.isSafeInteger(from) || step < 0 || batchSize < 1) {
      throw new RangeError(`Epochs.batch(step, batchSize): no batch ${step} of ${batchSize} examples`);
    }
    return Array.from({ length: batchSize }, (_, i) => this.#at(from + i));
  }

  #at(place: number): number {
    const epoch = Math.floor(place / this.length);
    if (this.#last?.epoch !== epoch) {
      const indices = Array.from({ length: this.length }, (_, i) => i);
      this.#last = { epoch, order: streamRng(this.#seed, 'epoch', epoch).shuffle(indices) };
    }
    return this.#last.order[place % this.length];
  }
}
