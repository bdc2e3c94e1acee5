/** erf and erfc against values of arbitrary-precision arithmetic, rounded to the nearest double. */
import { describe, expect, it } from 'vitest';
import { erf, erfc } from '../../src/kernels/cpu/erf.ts';

// x, erf x, erfc x, erfc −x: each of the three ranges of the approximation, and their borders.
const TABLE = [
  [0, 0, 1, 1],
  [1e-10, 1.1283791670955126e-10, 0.999999999887162, 1.000000000112838],
  [0.25, 0.27632639016823696, 0.7236736098317631, 1.276326390168237],
  [0.46875, 0.49261347321793797, 0.507386526782062, 1.492613473217938],
  [0.5, 0.5204998778130465, 0.4795001221869535, 1.5204998778130465],
  [1, 0.8427007929497149, 0.15729920705028513, 1.842700792949715],
  [2, 0.9953222650189527, 0.004677734981047266, 1.9953222650189526],
  [3.5, 0.9999992569016276, 7.430983723414128e-7, 1.9999992569016276],
  [4, 0.9999999845827421, 1.541725790028002e-8, 1.999999984582742],
  [5.5, 0.9999999999999927, 7.357847917974398e-15, 1.9999999999999927],
  [10.1, 1, 2.770896983131174e-46, 2],
  [21.7, 1, 8.120388770627523e-207, 2],
  [25.9, 1, 1.0202833184732667e-293, 2],
] as const;

/** Five units in the last place, relative. */
const CLOSE = 1.2e-15;

describe('erf', () => {
  it.each(TABLE)('at ±%d', (x, erfX, erfcX, erfcMinusX) => {
    expect(Math.abs(erf(x) - erfX)).toBeLessThanOrEqual(CLOSE * erfX);
    expect(erf(-x)).toBe(-erf(x));
    expect(Math.abs(erfc(x) - erfcX)).toBeLessThanOrEqual(CLOSE * erfcX);
    expect(Math.abs(erfc(-x) - erfcMinusX)).toBeLessThanOrEqual(CLOSE * erfcMinusX);
  });

  it('has its limits, and passes NaN on', () => {
    expect([erf(30), erf(-30), erf(Number.POSITIVE_INFINITY), erf(Number.NEGATIVE_INFINITY)]).toEqual([
      1, -1, 1, -1,
    ]);
    expect([erfc(30), erfc(-30), erfc(Number.POSITIVE_INFINITY)]).toEqual([0, 2, 0]);
    expect([erf(Number.NaN), erfc(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
  });
});
