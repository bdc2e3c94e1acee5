/** The cache of keys and values: what was appended, in order, whatever room it started with. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cpu, createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { KVCache, LayerCache } from '../../src/models/cogvlm/index.ts';
import { concat, Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';

let buffers: () => number;

beforeEach(async () => {
  const backend = await setBackend(createCpuBackend());
  buffers = () => backend.memory().buffers;
});
afterEach(() => setBackend(cpu));

describe('LayerCache', () => {
  it.each([1, 2, 5, 100])('holds all positions in order, with room for %i at first', (capacity) => {
    const cache = new LayerCache(capacity);
    const rng = new Rng(1);
    const parts: Tensor[] = [];
    for (const T of [3, 1, 1, 2, 1, 4]) {
      const part = Tensor.randn([2, 2, T, 3], rng);
      parts.push(part);
      const { keys, values } = cache.append(part, part.mul(2));
      const all = concat(parts, 2);
      expect([keys.shape, cache.length]).toEqual([all.shape, all.shape[2]]);
      expect(keys.data).toEqual(all.data);
      expect(values.data).toEqual(all.mul(2).data);
    }
    cache.dispose();
    expect(cache.length).toBe(0);
  });

  it('lives over scopes, keeps two buffers however often it grows, and gives them back', () => {
    const cache = new LayerCache(1);
    for (let n = 1; n <= 9; n++) {
      scope(() => {
        cache.append(Tensor.ones([1, 1, 1, 2]), Tensor.ones([1, 1, 1, 2]));
      });
      expect(buffers()).toBe(2);
    }
    cache.dispose();
    expect(buffers()).toBe(0);
  });

  it('copies: what was appended may change or go', () => {
    const cache = new LayerCache(4);
    const keys = Tensor.ones([1, 1, 1, 2]);
    const held = cache.append(keys, keys).keys;
    keys.assign(Tensor.zeros([2]));
    keys.dispose();
    expect(held.data).toEqual(Float32Array.of(1, 1));
  });

  it('refuses another batch', () => {
    const cache = new KVCache(2, 4).layers[1];
    const of = (B: number) => Tensor.ones([B, 1, 1, 2]);
    cache.append(of(2), of(2));
    expect(() => cache.append(of(3), of(3))).toThrow(
      'KVCache.append(keys, cached): keys: the batch changed (axis 0): keys is float32[3,1,1,2], cached is float32[2,1,4,2].',
    );
  });
});
