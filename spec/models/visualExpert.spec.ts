/** The paper's page: Tril as a matrix is the Tril of the fused attention; an expert without tokens costs and does nothing. */
import { afterEach, describe, expect, it } from 'vitest';
import { cpu } from '../../src/kernels/cpu/index.ts';
import { BACKEND_NAMES, loadBackend } from '../../src/kernels/registry.ts';
import { trilMask } from '../../src/models/cogvlm/index.ts';
import { attention, Linear, SwiGLU } from '../../src/nn/index.ts';
import { Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';
import { randomModel, tinyConfig } from '../support/models.ts';

afterEach(() => setBackend(cpu));

const SIZES = [[1, 1], [4, 4], [1, 5], [3, 7], [9, 9], [5, 17]] as const; // biome-ignore format: pairs

describe('trilMask', () => {
  it('is the picture of its comment', () => {
    const no = Number.NEGATIVE_INFINITY;
    expect(trilMask(3)).toEqual([[0, no, no], [0, 0, no], [0, 0, 0]]); // biome-ignore format: rows
    expect(trilMask(2, 4)).toEqual([[0, 0, 0, no], [0, 0, 0, 0]]); // biome-ignore format: rows
  });

  it.each(BACKEND_NAMES)('is what the fused attention leaves out, place by place: %s', async (name) => {
    await setBackend(await loadBackend(name));
    for (const [T, S] of SIZES) {
      // Scores 0 and V = 1: row i of the result is softmax(Tril(0)), equal parts of the keys that query i sees.
      const [q, k] = [T, S].map((rows) => Tensor.zeros([1, 1, rows, S]));
      const ones = Array.from({ length: S * S }, (_, i) => (i % (S + 1) === 0 ? 1 : 0));
      const P = attention(q, k, Tensor.fromArray(ones, [1, 1, S, S]), { causal: true });
      const expected = trilMask(T, S).flatMap((row) => {
        const parts = row.map(Math.exp);
        const sum = parts.reduce((a, b) => a + b);
        return parts.map((part) => part / sum);
      });
      for (const [i, value] of (await P.read()).entries()) {
        expect(value === 0, `${T}×${S} at ${i}`).toBe(expected[i] === 0);
        expect(Math.abs(value - expected[i]), `${T}×${S} at ${i}`).toBeLessThan(1e-6);
      }
    }
  });

  it('in eq. (1) written out gives what the fused attention gives', () => {
    const rng = new Rng(4);
    const K = 6;
    for (const [T, S] of SIZES) {
      const [q, k, v] = [T, S, S].map((n) => Tensor.randn([1, 1, n, K], rng, { dtype: 'float64' }));
      const hidden = Tensor.fromArray(trilMask(T, S).flat(), [T, S], { dtype: 'float64' });
      const scores = q.matmul(k.transpose()).div(Math.sqrt(K)).add(hidden);
      const written = scores.softmax().matmul(v).data;
      const fused = attention(q, k, v, { causal: true }).data;
      for (const [i, value] of fused.entries()) expect(Math.abs(value - written[i])).toBeLessThan(1e-14);
    }
  });
});

describe('an expert without tokens', () => {
  it.each(BACKEND_NAMES)('computes no rows, and zeros as gradients of its weights: %s', async (name) => {
    await setBackend(await loadBackend(name));
    for (const [width, wide] of [
      [8, 12],
      [64, 172],
    ]) {
      // biome-ignore format: one line
      const rng = new Rng(1);
      const modules = [
        new Linear({ inFeatures: width, outFeatures: wide, bias: true, rng }),
        new SwiGLU({ width, intermediateSize: wide, rng }),
      ];
      for (const module of modules) {
        const X = Tensor.randn([3, width], rng).slice(0, 0, 0);
        const Y = module.call(X);
        expect(Y.shape).toEqual([0, module instanceof Linear ? wide : width]);
        Y.sum().backward();
        for (const [path, weight] of module.namedParameters()) {
          const gradient = await (weight.grad as Tensor).read();
          expect(gradient.length, path).toBe(weight.size);
          expect(
            gradient.every((value) => value === 0),
            path,
          ).toBe(true);
        }
      }
    }
  });

  it('gets no gradient where it has no token, and the language expert none in a sequence of image tokens', () => {
    const config = tinyConfig({ bias: true });
    const model = randomModel(config, 2);
    scope(() =>
      model
        .call({ ids: [[1, 3, 4]] })
        .sum()
        .backward(),
    );
    for (const [path, weight] of model.model.layers[0].namedParameters()) {
      expect(weight.grad === null, path).toBe(path.includes('vision_'));
    }
  });
});
