/** How results are compared, what a failure says, and what differences can see of a gradient. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import { allowedFor, compare, float32Ulp, placeOf } from '../../src/verify/compare.ts';
import { type Allowance, type Lack, NOT_COMPUTED, type Numbers } from '../../src/verify/finding.ts';
import { gradcheck, gradientPairs } from '../../src/verify/gradcheck.ts';
import { judge } from '../../src/verify/judge.ts';
import type { Row, Subject } from '../../src/verify/row.ts';
import {
  EXACT,
  FLOAT32,
  FLOAT32_PAIR,
  FLOAT64,
  GRADCHECK,
  modelTolerance,
  traceTolerance,
} from '../../src/verify/tolerances.ts';

const SUBJECT: Subject = { name: 'a row', of: 'op', check: 'value' };
const numbers = (data: readonly number[], shape = [data.length]): Numbers => ({ shape, data });
const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

describe('a unit in the last place of float32', () => {
  it('is the distance to the next number', () => {
    const next = (x: number) => {
      const bits = new Float32Array([Math.fround(x)]);
      new Uint32Array(bits.buffer)[0]++;
      return bits[0];
    };
    const above = fc.float({ min: 0, noNaN: true, noDefaultInfinity: true, max: 2 ** 127 });
    fc.assert(
      fc.property(above, (x) => float32Ulp(x) === next(x) - x && float32Ulp(-x) === float32Ulp(x)),
      { seed: 2311 },
    );
  });

  it('at powers of two is that above them, at 0 the smallest number, of what is none infinite', () => {
    expect([1, 2, 0.5, 2 ** -126].map(float32Ulp)).toEqual([2 ** -23, 2 ** -22, 2 ** -24, 2 ** -149]);
    expect([0, INFINITY, NAN].map(float32Ulp)).toEqual([2 ** -149, INFINITY, INFINITY]);
  });
});

describe('an element is allowed', () => {
  it('the largest of what the tolerance names', () => {
    expect(allowedFor(-4, { atol: 1, rtol: 0.5 }, null)).toBe(3);
    expect(allowedFor(1, { ulps: 2 }, null)).toBe(2 ** -22);
    expect(allowedFor(1, { torch: 2, ulps: 2 }, 1)).toBe(2);
    expect(allowedFor(1, { torch: 2 }, null)).toBe(0);
    expect(allowedFor(1, EXACT, 5)).toBe(0);
  });
});

describe('comparing', () => {
  it('counts what is beyond its allowance, and finds the largest differences', () => {
    const found = compare([1, 10, 0, -2], [1, 10.5, 0.25, -2], { atol: 0.3 });
    expect(found).toMatchObject({
      elements: 4,
      wrong: 1,
      maxAbs: 0.5,
      maxAbsAt: 1,
      maxRel: INFINITY,
      maxRelAt: 2,
    });
    expect(found).toMatchObject({ mean: 0.75 / 4, usedAt: 1, allowed: 0.3 });
    expect(found.used).toBeCloseTo(0.5 / 0.3, 12);
  });

  const tolerances = { EXACT, FLOAT32, FLOAT32_PAIR, FLOAT64, GRADCHECK };
  it.each(Object.entries(tolerances))(
    '%s: NaN is like NaN alone, an infinity like itself',
    (_, tolerance) => {
      for (const value of [NAN, INFINITY, -INFINITY]) {
        expect(compare([value], [value], tolerance, 1e-7)).toMatchObject({ wrong: 0, used: 0, maxUlps: 0 });
        for (const other of [0, 1, NAN, INFINITY, -INFINITY].filter((one) => !Object.is(one, value))) {
          for (const [truth, computed] of [
            [value, other],
            [other, value],
          ]) {
            const found = compare([truth], [computed], tolerance, 1e-7);
            expect(found, `${truth}, ${computed}`).toMatchObject({
              wrong: 1,
              used: INFINITY,
              maxUlps: INFINITY,
            });
          }
        }
      }
    },
  );

  it('is not said to be right because nothing is allowed', () => {
    expect(compare([0], [1e-300], EXACT)).toMatchObject({ wrong: 1, used: INFINITY });
    expect(compare([0], [-0], EXACT)).toMatchObject({ wrong: 0, used: 0 });
    expect(compare([], [], EXACT)).toMatchObject({ elements: 0, wrong: 0, used: 0, mean: 0, allowed: 0 });
  });

  it('leaves out elements that do not count', () => {
    expect(compare([1, 2, 3], [9, 2, 9], EXACT, null, (i) => i === 1)).toMatchObject({
      elements: 1,
      wrong: 0,
    });
  });
});

describe('a verdict', () => {
  const judged = (truth: Numbers, computed: Numbers | Lack, allowance: Allowance): Row =>
    judge({ subject: SUBJECT, truth, computed, allowance });

  it('says how many of how many, where and how much the worst, and what was allowed', () => {
    const row = judged(numbers([1, 2, 3, 4], [2, 2]), numbers([1, 2, 3.5, 4.25], [2, 2]), {
      tolerance: { atol: 0.25 },
    });
    expect(row).toMatchObject({ ...SUBJECT, status: 'DIFF', error: 0.5, used: 2, allowed: 0.25 });
    expect(row.note).toBe(
      '1 of 4 elements differ (25 %): largest absolute difference 5.00e-1 at [1,0], ' +
        'largest relative 1.67e-1 at [1,0]; [1,0] is 3.5, truth 3, allowed 2.50e-1',
    );
  });

  it('is SHAPE for another shape of as many elements, MISSING for nothing', () => {
    const shape = judged(numbers([1, 2], [2, 1]), numbers([1, 2], [1, 2]), { tolerance: EXACT });
    expect(shape).toMatchObject({ status: 'SHAPE', note: 'got [1,2], expected [2,1]', error: null });
    expect(judged(numbers([1]), NOT_COMPUTED, { tolerance: EXACT })).toMatchObject({
      status: 'MISSING',
    });
  });

  it('of a mean takes the mean alone', () => {
    const mean = (atol: number) =>
      judged(numbers([0, 0]), numbers([0, 1]), { tolerance: { atol }, measure: 'mean' });
    expect(mean(0.5)).toMatchObject({ status: 'OK', error: 0.5, used: 1 });
    expect(mean(0.49)).toMatchObject({ status: 'DIFF' });
  });

  it('places are counted row by row', () => {
    expect([placeOf(0, []), placeOf(5, [2, 3]), placeOf(7, [2, 2, 2])]).toEqual(['[]', '[1,2]', '[1,1,1]']);
  });
});

describe('tolerances of models', () => {
  it('grow with the largest number', () => {
    expect(modelTolerance('float64', [0.1, -3])).toEqual({ atol: 2e-6 * 3 });
    expect(modelTolerance('float32', [0.1])).toEqual({ atol: 2e-6, torch: 4 });
    expect(traceTolerance('float64', [0.5, -2], 'value')).toEqual({ atol: 2e-12, ulps: 0 });
    expect(traceTolerance('float64', [0.5], 'gradient')).toEqual({ atol: 5e-13, ulps: 1 });
  });
});

describe('differences', () => {
  const leaf = (data: readonly number[]) =>
    Tensor.fromArray(data, [data.length], { dtype: 'float64', requiresGrad: true });

  it('agree with a right gradient in eleven digits, and leave the input as it was', () => {
    const x = leaf([0.3, -1.2, 2]);
    const [{ exact, numeric, at }] = gradientPairs(() => x.exp().mul(x.sin()), [x], new Rng(1));
    expect(at).toEqual([0, 1, 2]);
    for (const [i, value] of exact.entries()) expect(Math.abs(numeric[i] - value)).toBeLessThan(1e-10);
    expect(Array.from(x.data)).toEqual([0.3, -1.2, 2]);
  });

  it('see what a gradient lacks', () => {
    const x = leaf([0.5, 1.5]);
    const [{ exact, numeric }] = gradientPairs(() => x.mul(x.detach()), [x], new Rng(1));
    // The detached x moves with x: the slope is 2x, of which backward knows one half.
    for (const [i, value] of exact.entries()) expect(numeric[i]).toBeCloseTo(2 * value, 9);
  });

  it('are a check for ops of one’s own, which says what is off', () => {
    const [x, y] = [leaf([0.5, 1.5]), leaf([2, -1])];
    gradcheck(() => x.mul(y).exp(), [x, y]);
    expect(() => gradcheck(() => x.mul(y.detach()), [x, y])).toThrow(
      /^gradcheck: the gradient by inputs\[1\] is not what differences say: 2 of 2 elements differ \(100 %\): largest/,
    );
    expect(() => gradcheck(() => x.mul(2), [x.detach()])).toThrow('no input requires a gradient');
    const single = Tensor.from([1], { requiresGrad: true });
    expect(() => gradcheck(() => single.exp(), [x, single])).toThrow(
      'gradcheck(inputs[1]): inputs[1]: needs float64: differences of float32 numbers are noise: inputs[1] is float32[1].',
    );
  });

  it('take a part of many elements, and each input once', () => {
    const x = Tensor.uniform([10, 10], new Rng(3), -1, 1, { dtype: 'float64' });
    x.requiresGrad = true;
    const pairs = gradientPairs(() => x.mul(x), [x, x], new Rng(1));
    expect(pairs.length).toBe(1);
    expect(new Set(pairs[0].at).size).toBe(48);
  });
});
