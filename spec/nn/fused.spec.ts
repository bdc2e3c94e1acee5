/**
 * Every fused op equals its definition, in value and gradient, in float64: at random sizes, beside the samples that `verify`
 * looks at.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attention, crossEntropy, IGNORE_INDEX } from '../../src/nn/index.ts';
import { applyRotary, RotaryEmbedding } from '../../src/nn/rotary.ts';
import { swiglu } from '../../src/nn/swiglu.ts';
import { composed } from '../../src/tensor/composed.ts';
import { apply, Rng, Tensor } from '../../src/tensor/index.ts';
import { expectAgreement } from '../support/agree.ts';

const random = (shape: readonly number[], seed: number, spread = 1) =>
  Tensor.fromArray(
    Tensor.randn(shape, new Rng(seed), { dtype: 'float64' }).data.map((v) => spread * v),
    shape,
    { dtype: 'float64', requiresGrad: true },
  );

const size = (min: number, max: number) => fc.integer({ min, max });
const seeds = fc.nat(100_000);
const runs = { numRuns: 25, seed: 1 };

describe('elementwise', () => {
  it.each(['sigmoid', 'silu', 'gelu'] as const)('%s', (name) => {
    const x = random([400], 1, 3);
    expectAgreement(
      () => apply(name, [x], {}),
      () => composed[name]([x], {}),
      [x],
      1e-14,
    );
  });

  it('gelu is the erf form: at 1 it is Φ(1), not what tanh gives', () => {
    const y = Tensor.from([1, -1, 0], { dtype: 'float64' }).gelu().data;
    expect(y[0]).toBeCloseTo(0.8413447460685429, 15);
    expect(y[1]).toBeCloseTo(-0.15865525393145707, 15);
    expect(y[2]).toBe(0);
  });

  it('swiglu', () => {
    const [gate, up] = [random([5, 7], 1, 2), random([5, 7], 2)];
    expectAgreement(
      () => swiglu(gate, up),
      () => composed.swiglu([gate, up], {}),
      [gate, up],
    );
  });
});

describe('rows', () => {
  it('softmax, with and without Tril', () => {
    const property = fc.property(
      size(1, 2),
      size(1, 4),
      size(0, 3),
      fc.boolean(),
      seeds,
      (B, M, more, causal, seed) => {
        const x = random([B, M, M + more], seed, 4);
        expectAgreement(
          () => x.softmax({ causal }),
          () => composed.softmax([x], { causal }),
          [x],
        );
      },
    );
    fc.assert(property, runs);
  });

  it('cross entropy, ignored rows included', () => {
    const property = fc.property(size(1, 6), size(1, 5), seeds, (R, V, seed) => {
      const x = random([R, V], seed, 3);
      const rng = new Rng(seed);
      const targets = Array.from({ length: R }, () => (rng.uniform() < 0.3 ? IGNORE_INDEX : rng.integer(V)));
      const index = Tensor.from(targets, { dtype: 'int32' });
      expectAgreement(
        () => apply('crossEntropy', [x, index], { ignoreIndex: IGNORE_INDEX }),
        () => composed.crossEntropy([x, index], { ignoreIndex: IGNORE_INDEX }),
        [x],
      );
    });
    fc.assert(property, runs);
  });

  it('layer norm and RMS norm', () => {
    const property = fc.property(
      size(1, 3),
      size(1, 7),
      fc.constantFrom(1e-6, 1e-5, 0.1),
      seeds,
      (R, D, eps, seed) => {
        const [x, w, b] = [random([2, R, D], seed, 2), random([D], seed + 1), random([D], seed + 2)];
        // With one column the variance is 0, and the definition's gradient of the root is as large as 1/√ε.
        const tolerance = D === 1 ? 1e-8 : 1e-11;
        expectAgreement(
          () => apply('layerNorm', [x, w, b], { eps }),
          () => composed.layerNorm([x, w, b], { eps }),
          [x, w, b],
          tolerance,
        );
        expectAgreement(
          () => apply('rmsNorm', [x, w], { eps }),
          () => composed.rmsNorm([x, w], { eps }),
          [x, w],
          tolerance,
        );
      },
    );
    fc.assert(property, runs);
  });
});

describe('loss', () => {
  it('is the mean over the labels that count', () => {
    const logits = random([4, 3], 3);
    const labels = [2, IGNORE_INDEX, 0, 1];
    expectAgreement(
      () => crossEntropy(logits, labels),
      () =>
        composed
          .crossEntropy([logits, Tensor.from(labels, { dtype: 'int32' })], { ignoreIndex: IGNORE_INDEX })
          .sum()
          .div(3),
      [logits],
    );
    expect(crossEntropy(logits, [0, 0, 0, 0].fill(IGNORE_INDEX)).item()).toBeNaN();
  });

  it('names a label that is no class', () => {
    const logits = random([2, 3], 3);
    expect(() => crossEntropy(logits, [0, 3])).toThrow(
      'labels: label 3 at 1 is neither one of the 3 classes nor -100',
    );
    expect(() => crossEntropy(logits, [0, -1])).toThrow('label -1 at 1');
    expect(() => crossEntropy(logits, [0])).toThrow('needs one target for each of the 2 rows');
  });
});

describe('rotary', () => {
  it('equals its definition', () => {
    const property = fc.property(
      size(1, 2),
      size(1, 3),
      size(1, 4),
      size(1, 4),
      seeds,
      (B, H, T, half, seed) => {
        const x = random([B, H, T, 2 * half], seed);
        const rng = new Rng(seed);
        const positions = Array.from({ length: B }, () => Array.from({ length: T }, () => rng.integer(50)));
        const angles = new RotaryEmbedding({ headDim: 2 * half, base: 100, dtype: 'float64' }).call(
          positions,
        );
        expectAgreement(
          () => applyRotary(x, angles),
          () => composed.rotary([x, angles.cos, angles.sin], {}),
          [x],
        );
      },
    );
    fc.assert(property, runs);
  });

  it('turns column j with column j + K/2 by position · base^(−2j/K)', () => {
    const { cos, sin } = new RotaryEmbedding({ headDim: 4, base: 10000, dtype: 'float64' }).call([[0, 3]]);
    expect(Array.from(cos.data)).toEqual([1, 1, Math.cos(3), Math.cos(0.03)]);
    const x = Tensor.from(
      [
        [
          [
            [1, 2, 3, 4],
            [1, 2, 3, 4],
          ],
        ],
      ],
      { dtype: 'float64' },
    );
    const y = Array.from(applyRotary(x, { cos, sin }).data);
    expect(y.slice(0, 4)).toEqual([1, 2, 3, 4]);
    const [c, s, c2, s2] = [Math.cos(3), Math.sin(3), Math.cos(0.03), Math.sin(0.03)];
    for (const [i, v] of [c - 3 * s, 2 * c2 - 4 * s2, s + 3 * c, 2 * s2 + 4 * c2].entries()) {
      expect(y[4 + i]).toBeCloseTo(v, 14);
    }
  });

  it('makes products of queries and keys depend on the distance alone', () => {
    const rope = new RotaryEmbedding({ headDim: 6, base: 10000, dtype: 'float64' });
    const [q, k] = [random([1, 1, 1, 6], 1), random([1, 1, 1, 6], 2)];
    const product = (m: number, n: number) =>
      applyRotary(q, rope.call([[m]]))
        .mul(applyRotary(k, rope.call([[n]])))
        .sum()
        .item();
    expect(product(7, 4)).toBeCloseTo(product(103, 100), 11);
    expect(Math.abs(product(7, 4) - product(7, 5))).toBeGreaterThan(1e-3);
  });
});

describe('attention', () => {
  it('equals its definition: grouped heads, Tril, hidden keys, fewer queries than keys', () => {
    const property = fc.property(
      fc.record({
        B: size(1, 2),
        kv: size(1, 2),
        G: size(1, 3),
        T: size(1, 4),
        more: size(0, 2),
        K: size(1, 4),
        causal: fc.boolean(),
        masked: fc.boolean(),
        seed: seeds,
      }),
      ({ B, kv, G, T, more, K, causal, masked, seed }) => {
        const S = T + more;
        const q = random([B, kv * G, T, K], seed, 2);
        const [k, v] = [random([B, kv, S, K], seed + 1, 2), random([B, kv, S, K], seed + 2)];
        const rng = new Rng(seed);
        const seen = Array.from({ length: B * S }, () => Number(rng.uniform() < 0.6));
        const visible = masked ? Tensor.fromArray(seen, [B, S], { dtype: 'bool' }) : undefined;
        expectAgreement(
          () => attention(q, k, v, { causal, visible }),
          () => composed.attention(visible === undefined ? [q, k, v] : [q, k, v, visible], { causal }),
          [q, k, v],
        );
      },
    );
    fc.assert(property, { ...runs, numRuns: 60 });
  });

  it('a query that sees nothing gives zeros, and no gradient flows through it', () => {
    const [q, k, v] = [random([1, 1, 2, 3], 1), random([1, 1, 2, 3], 2), random([1, 1, 2, 3], 3)];
    const visible = Tensor.from([[0, 1]], { dtype: 'bool' });
    const y = attention(q, k, v, { causal: true, visible });
    expect(Array.from(y.data.slice(0, 3))).toEqual([0, 0, 0]);
    expect(Array.from(y.data.slice(3))).toEqual(Array.from(v.data.slice(3)));
    y.sum().backward();
    expect(Array.from(q.grad?.data ?? [])).toEqual(new Array(6).fill(0));
    expect(Array.from(v.grad?.data ?? [])).toEqual([0, 0, 0, 1, 1, 1]);
  });
});
