import { describe, expect, it } from 'vitest';
import { roundToBf16, roundToF16, widenBf16, widenF16 } from '../../src/data/safetensors/halfFloat.ts';

interface HalfFormat {
  readonly name: string;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly widen: (half: Uint16Array) => Float32Array;
  readonly round: (values: Float32Array) => Uint16Array;
}
const FORMATS: readonly HalfFormat[] = [
  { name: 'f16', exponentBits: 5, mantissaBits: 10, widen: widenF16, round: roundToF16 },
  { name: 'bf16', exponentBits: 8, mantissaBits: 7, widen: widenBf16, round: roundToBf16 },
];

const ALL = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

/** The value of a pattern by the definition of IEEE 754, in float64 arithmetic. */
function definedValue(bits: number, { exponentBits, mantissaBits }: HalfFormat): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

/** Neighbours of a positive float32. */
function nudged(value: number, steps: number): number {
  const float = Float32Array.of(value);
  new Uint32Array(float.buffer)[0] += steps;
  return float[0];
}

describe.each(FORMATS)('$name', (format) => {
  const infinity = ((2 ** format.exponentBits - 1) << format.mantissaBits) & 0x7fff;

  it('widens every pattern exactly', () => {
    const wide = format.widen(ALL);
    const wrong = Array.from(ALL).filter((bits) => !Object.is(wide[bits], definedValue(bits, format)));
    expect(wrong).toEqual([]);
  });

  it('gives every pattern back, NaN payloads included', () => {
    expect(format.round(format.widen(ALL))).toEqual(ALL);
  });

  it('rounds to nearest, halfway cases to even, on both sides of every boundary', () => {
    const values: number[] = [];
    const expected: number[] = [];
    for (let lower = 0; lower < infinity; lower++) {
      // The boundary below infinity lies where the next value would be if the exponent went on.
      const upperValue =
        lower + 1 < infinity
          ? definedValue(lower + 1, format)
          : 2 * definedValue(lower, format) - definedValue(lower - 1, format);
      const middle = (definedValue(lower, format) + upperValue) / 2;
      const even = lower % 2 === 0 ? lower : lower + 1;
      // Half of bf16's least value is a float32 still; so every middle is one and has float32 neighbours.
      values.push(
        middle,
        nudged(middle, -1),
        nudged(middle, 1),
        -middle,
        -nudged(middle, -1),
        -nudged(middle, 1),
      );
      expected.push(even, lower, lower + 1, 0x8000 | even, 0x8000 | lower, 0x8000 | (lower + 1));
    }
    expect(values.every((value) => Math.fround(value) === value)).toBe(true);
    expect(format.round(Float32Array.from(values))).toEqual(Uint16Array.from(expected));
  });

  it('keeps a NaN whose payload lies only in the bits that are dropped', () => {
    const values = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000).buffer);
    const wide = format.widen(format.round(values));
    expect(Array.from(wide)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it('rounds a part of a larger array', () => {
    const all = Float32Array.of(1, 2, 3, 4);
    expect(format.widen(format.round(all.subarray(1, 3)))).toEqual(Float32Array.of(2, 3));
  });
});

it('knows the values that are easily got wrong', () => {
  const values = Float32Array.of(65504, 65519.99, 65520, 2 ** -24, 2 ** -25, 1.0009765625, -0, 1e-45);
  const expected = [0x7bff, 0x7bff, 0x7c00, 0x0001, 0x0000, 0x3c01, 0x8000, 0x0000];
  expect(Array.from(roundToF16(values))).toEqual(expected);
  expect(Array.from(roundToBf16(Float32Array.of(3.3895314e38, 3.4028235e38, 1.00390625, -0)))).toEqual([
    0x7f7f, 0x7f80, 0x3f80, 0x8000,
  ]);
});
