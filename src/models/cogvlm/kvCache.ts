/**
 * Keys and values of the tokens seen so far, one buffer per layer with room to grow, so that a step of generation
 * computes one token and copies one row. Keys are stored turned by their position, and before grouped heads expand.
 */
import { ShapeError, Tensor } from '../../tensor/index.ts';

/** Keys and values [B, H_kv, S, K] of one layer. */
export class LayerCache {
  #keys: Tensor | null = null;
  #values: Tensor | null = null;
  #capacity: number;
  #length = 0;

  /** @param capacity positions to make room for at once; more are found when needed */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Positions held. */
  get length(): number {
    return this.#length;
  }

  /** Adds [B, H_kv, T, K]; returns all positions held as views. Not differentiable: for `noGrad`. */
  append(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor } {
    const T = keys.shape[2];
    const end = this.#length + T;
    const [allKeys, allValues] = this.#room(keys, values, end);
    allKeys.slice(2, this.#length, end).assign(keys);
    allValues.slice(2, this.#length, end).assign(values);
    this.#length = end;
    return { keys: allKeys.slice(2, 0, end), values: allValues.slice(2, 0, end) };
  }

  #room(keys: Tensor, values: Tensor, needed: number): [Tensor, Tensor] {
    if (this.#keys !== null && this.#values !== null) {
      if (keys.shape[0] !== this.#keys.shape[0]) {
        throw new ShapeError({
          op: 'KVCache.append',
          argument: 'keys',
          axis: 0,
          got: { keys, cached: this.#keys },
          rule: 'the batch changed',
        });
      }
      if (needed <= this.#capacity) return [this.#keys, this.#values];
      this.#capacity = Math.max(needed, 2 * this.#capacity);
    } else {
      this.#capacity = Math.max(needed, this.#capacity);
    }
    this.#keys = this.#grown(this.#keys, keys);
    this.#values = this.#grown(this.#values, values);
    return [this.#keys, this.#values];
  }

  #grown(old: Tensor | null, like: Tensor): Tensor {
    const [B, heads, , K] = like.shape;
    const grown = Tensor.zeros([B, heads, this.#capacity, K], { dtype: like.dtype }).keep();
    if (old !== null) {
      grown.slice(2, 0, this.#length).assign(old.slice(2, 0, this.#length));
      old.dispose();
    }
    return grown;
  }

  dispose(): void {
    this.#keys?.dispose();
    this.#values?.dispose();
    this.#keys = null;
    this.#values = null;
    this.#length = 0;
  }
}

/** The caches of all layers. */
export class KVCache {
  readonly layers: readonly LayerCache[];

  constructor(numLayers: number, capacity: number) {
    this.layers = Array.from({ length: numLayers }, () => new LayerCache(capacity));
  }

  /** Positions held. */
  get length(): number {
    return this.layers[0].length;
  }

  dispose(): void {
    for (const layer of this.layers) layer.dispose();
  }
}
