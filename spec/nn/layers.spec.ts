/** Layers with weights against plain loops over numbers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Embedding,
  LayerNorm,
  Linear,
  mergeHeads,
  PatchConv,
  RMSNorm,
  splitHeads,
} from '../../src/nn/index.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import { gradcheck } from '../../src/verify/gradcheck.ts';
import { expectClose } from '../support/agree.ts';

const size = (min: number, max: number) => fc.integer({ min, max });
const seeds = fc.nat(100_000);
const runs = { numRuns: 20, seed: 1 };
const weights = (seed: number) => ({ dtype: 'float64' as const, rng: new Rng(seed) });
const random = (shape: readonly number[], seed: number) =>
  Tensor.randn(shape, new Rng(seed), { dtype: 'float64', requiresGrad: true });

describe('Linear', () => {
  it('is Σ_i x_i W_oi + b_o', () => {
    const property = fc.property(
      size(1, 3),
      size(1, 5),
      size(1, 5),
      fc.boolean(),
      seeds,
      (R, I, O, bias, seed) => {
        const layer = new Linear({ inFeatures: I, outFeatures: O, bias, ...weights(seed) });
        const x = random([2, R, I], seed + 1);
        const [xs, W, b] = [x.data, layer.weight.data, layer.bias?.data];
        const wanted: number[] = [];
        for (let r = 0; r < 2 * R; r++) {
          for (let o = 0; o < O; o++) {
            let sum = b?.[o] ?? 0;
            for (let i = 0; i < I; i++) sum += xs[r * I + i] * W[o * I + i];
            wanted.push(sum);
          }
        }
        const y = layer.call(x);
        expect(y.shape).toEqual([2, R, O]);
        expectClose(y.data, wanted, 1e-14, 'y');
      },
    );
    fc.assert(property, runs);
  });

  it('starts uniform in ±1/√in, or at zero without a generator', () => {
    const layer = new Linear({ inFeatures: 16, outFeatures: 100, bias: true, rng: new Rng(1) });
    const values = [...layer.weight.data, ...(layer.bias?.data ?? [])];
    expect(values.every((v) => Math.abs(v) <= 0.25)).toBe(true);
    expect(Math.max(...values)).toBeGreaterThan(0.24);
    expect(Math.abs(values.reduce((sum, v) => sum + v, 0) / values.length)).toBeLessThan(0.02);
    expect(new Linear({ inFeatures: 2, outFeatures: 2, bias: false }).weight.data).toEqual(
      new Float32Array(4),
    );
  });

  it('has the gradients of its formula', () => {
    const layer = new Linear({ inFeatures: 3, outFeatures: 2, bias: true, ...weights(1) });
    const x = random([2, 2, 3], 2);
    gradcheck(() => layer.call(x), [x, ...layer.namedParameters().values()]);
  });
});

describe('Embedding', () => {
  it('looks rows up, repeated ones too', () => {
    const table = new Embedding({ numEmbeddings: 4, embeddingDim: 2, ...weights(3) });
    const W = table.weight.data;
    const ids = [
      [3, 0, 3],
      [1, 1, 2],
    ];
    const y = table.call(ids);
    expect(y.shape).toEqual([2, 3, 2]);
    expect(Array.from(y.data)).toEqual(ids.flat().flatMap((id) => [W[2 * id], W[2 * id + 1]]));
    y.sum().backward();
    expect(Array.from(table.weight.grad?.data ?? [])).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
  });

  it.each([4, -1, 1.5, Number.NaN])('refuses the id %s', (id) => {
    const table = new Embedding({ numEmbeddings: 4, embeddingDim: 2 });
    expect(() => table.call([[0, id]])).toThrow(`id ${id} at [0][1] is not one of the 4 rows of the table`);
  });
});

describe('PatchConv', () => {
  it('is a convolution whose stride is its kernel size', () => {
    const sizes = fc.record({
      B: size(1, 2),
      C: size(1, 3),
      O: size(1, 3),
      p: size(1, 3),
      h: size(1, 3),
      w: size(1, 3),
      rest: fc.boolean(),
      seed: seeds,
    });
    const property = fc.property(sizes, ({ B, C, O, p, h, w, rest, seed }) => {
      const conv = new PatchConv({ inChannels: C, outChannels: O, size: p, ...weights(seed) });
      // Rows and columns that do not fill a tile are dropped.
      const [height, width] = rest ? [h * p + p - 1, w * p + p - 1] : [h * p, w * p];
      const x = random([B, C, height, width], seed + 1);
      const [xs, W, bias] = [x.data, conv.weight.data, conv.bias.data];
      const wanted: number[] = [];
      for (let b = 0; b < B; b++) {
        for (let o = 0; o < O; o++) {
          for (let i = 0; i < h; i++) {
            for (let j = 0; j < w; j++) {
              let sum = bias[o];
              for (let c = 0; c < C; c++) {
                for (let y = 0; y < p; y++) {
                  for (let z = 0; z < p; z++) {
                    const pixel = xs[((b * C + c) * height + i * p + y) * width + j * p + z];
                    sum += pixel * W[((o * C + c) * p + y) * p + z];
                  }
                }
              }
              wanted.push(sum);
            }
          }
        }
      }
      const got = conv.call(x);
      expect(got.shape).toEqual([B, O, h, w]);
      expectClose(got.data, wanted, 1e-14, 'y');
    });
    fc.assert(property, runs);
  });

  it('has the gradients of its formula', () => {
    const conv = new PatchConv({ inChannels: 2, outChannels: 2, size: 2, ...weights(1) });
    const x = random([1, 2, 4, 5], 2);
    gradcheck(() => conv.call(x), [x, ...conv.namedParameters().values()]);
  });
});

describe('norms', () => {
  it('LayerNorm takes mean and spread off; RMSNorm the root of the mean square', () => {
    const [layer, rms] = [LayerNorm, RMSNorm].map(
      (Norm) => new Norm({ width: 4, eps: 1e-12, dtype: 'float64' }),
    );
    const x = Tensor.from([[1, 3, 5, 7]], { dtype: 'float64' });
    expectClose(
      layer.call(x).data,
      [-3, -1, 1, 3].map((v) => v / Math.sqrt(5)),
      1e-12,
      'LayerNorm',
    );
    expectClose(
      rms.call(x).data,
      [1, 3, 5, 7].map((v) => v / Math.sqrt(21)),
      1e-12,
      'RMSNorm',
    );
  });

  it('use their ε', () => {
    const x = Tensor.from([[0.1, -0.1]], { dtype: 'float64' });
    for (const Norm of [LayerNorm, RMSNorm]) {
      const y = new Norm({ width: 2, eps: 0.03, dtype: 'float64' }).call(x);
      expectClose(y.data, [0.5, -0.5], 1e-14, Norm.name);
    }
  });
});

describe('heads', () => {
  it('split into contiguous columns and merge back', () => {
    const x = Tensor.fromArray(
      Array.from({ length: 12 }, (_, i) => i),
      [1, 2, 6],
    );
    const heads = splitHeads(x, 3);
    expect(heads.shape).toEqual([1, 3, 2, 2]);
    expect(Array.from(heads.data)).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
    expect(mergeHeads(heads).data).toEqual(x.data);
  });
});
