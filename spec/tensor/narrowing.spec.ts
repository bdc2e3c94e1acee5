/** Numbers that no int32 holds are refused, not wrapped around. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getBackend, setBackend, Tensor } from '../../src/tensor/index.ts';

const int32 = { dtype: 'int32' } as const;

describe('numbers that become int32', () => {
  it.each([
    [3e9, 'element 1 is 3000000000, which no int32 holds: expected −2147483648…2147483647'],
    [Number.NaN, 'element 1 is NaN'],
    [Number.NEGATIVE_INFINITY, 'element 1 is -Infinity'],
    [-2147483649, 'element 1 is -2147483649'],
  ])('%d is refused', (value, says) => {
    const make = () => Tensor.from([0, value], int32);
    expect(make).toThrow(RangeError);
    expect(make).toThrow(says);
    expect(() => Tensor.full([2], value, int32)).toThrow(RangeError);
  });

  it('fractions are cut off, the ends are held', () => {
    expect([...Tensor.from([1.9, -1.9, 2147483647.5, -2147483648.5], int32).data]).toEqual([
      1, -1, 2147483647, -2147483648,
    ]);
    expect([...Tensor.from([Number.NaN, 0, 0.5], { dtype: 'bool' }).data]).toEqual([1, 0, 1]);
  });
});

describe.each(['cpu', 'wasm', 'gpujs'] as const)('casts to int32 on %s', (name) => {
  let before: ReturnType<typeof getBackend>;
  beforeAll(async () => {
    before = getBackend();
    await setBackend(name);
  });
  afterAll(async () => {
    await setBackend(before);
  });

  it.each([
    [3e9, '3000000000'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [-4294967296, '-4294967296'],
  ])('refuse %d', (value, text) => {
    const x = Tensor.from([[1, 2, 3], [4, value, 6]]); // biome-ignore format: rows
    const says = (index: number) =>
      `cast: element ${index} is ${text}, which no int32 holds: expected −2147483648…2147483647`;
    expect(() => x.to('int32')).toThrow(RangeError);
    expect(() => x.to('int32')).toThrow(says(4));
    expect(() => x.transpose().to('int32')).toThrow(says(3));
    expect(() => x.slice(1, 1, 3).to('int32')).toThrow(says(2));
    expect([...x.slice(0, 0, 1).to('int32').data]).toEqual([1, 2, 3]);
    expect([...x.to('bool').data]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('hold the ends', () => {
    const ends = Tensor.from([-2147483648, 2147483520, -0.999, 16777216]);
    expect([...ends.to('int32').data]).toEqual([-2147483648, 2147483520, 0, 16777216]);
  });
});

it('casts of float64 to int32 hold the last number, and refuse the next', () => {
  const at = (value: number) => Tensor.from([value], { dtype: 'float64' }).to('int32').item();
  expect([at(2147483647.5), at(-2147483648.5)]).toEqual([2147483647, -2147483648]);
  expect(() => at(2147483648)).toThrow(RangeError);
  expect(() => at(-2147483649)).toThrow(RangeError);
});
