/** Numbers that no int32 holds are refused, not wrapped around. */
import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/tensor/index.ts';

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
