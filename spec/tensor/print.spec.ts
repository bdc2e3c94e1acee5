/** Tensors as text: expected lines are what NumPy 1.24 prints of the same arrays. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { getBackend, setBackend, Tensor } from '../../src/tensor/index.ts';

const lines = (x: Tensor) => String(x).split('\n');

describe('printing', () => {
  it('shows dtype, shape, backend and the numbers', () => {
    expect(
      lines(
        Tensor.from(
          [
            [1, 2.5],
            [-3, 4],
          ],
          { requiresGrad: true },
        ),
      ),
    ).toEqual(['Tensor float32[2,2] on cpu, requires grad', '[[ 1. ,  2.5],', ' [-3. ,  4. ]]']);
    expect(inspect(Tensor.from([1, 2]))).toBe('Tensor float32[2] on cpu [1., 2.]');
    expect(String(Tensor.from(0.1))).toBe('Tensor float32[] on cpu 0.1');
  });

  it.each([
    ['the shortest decimal of a float32', [1 / 3, 0.1], '[0.33333334, 0.1       ]'],
    ['powers of ten where sizes differ much', [1e-5, 2.5], '[1.0e-05, 2.5e+00]'],
    ['zeros, of either sign', [0, -0], '[ 0., -0.]'],
    ['what is no number', [Number.NaN, Number.POSITIVE_INFINITY, -1], '[nan, inf, -1.]'],
  ])('writes %s', (_, values, text) => {
    expect(String(Tensor.from(values))).toBe(`Tensor float32[${values.length}] on cpu ${text}`);
  });

  it('writes integers and truths as such', () => {
    expect(String(Tensor.from([5, -10], { dtype: 'int32' }))).toBe('Tensor int32[2] on cpu [  5, -10]');
    expect(String(Tensor.from([1, 3]).gt(2))).toBe('Tensor bool[2] on cpu [false,  true]');
  });

  it('shows the ends of what is long, and reads only them', () => {
    const x = Tensor.arange(2000).reshape(40, 50);
    expect(lines(x)).toEqual([
      'Tensor int32[40,50] on cpu',
      '[[   0,    1,    2, ...,   47,   48,   49],',
      ' [  50,   51,   52, ...,   97,   98,   99],',
      ' [ 100,  101,  102, ...,  147,  148,  149],',
      ' ...,',
      ' [1850, 1851, 1852, ..., 1897, 1898, 1899],',
      ' [1900, 1901, 1902, ..., 1947, 1948, 1949],',
      ' [1950, 1951, 1952, ..., 1997, 1998, 1999]]',
    ]);
  });

  it('puts an empty line between matrices, and breaks long rows', () => {
    expect(lines(Tensor.arange(8).reshape(2, 2, 2))).toEqual([
      'Tensor int32[2,2,2] on cpu',
      '[[[0, 1],',
      '  [2, 3]],',
      '',
      ' [[4, 5],',
      '  [6, 7]]]',
    ]);
    const wide = lines(Tensor.arange(60).reshape(1, 60));
    expect(wide.length).toBe(1 + 4);
    expect(Math.max(...wide.map((line) => line.length))).toBeLessThanOrEqual(76);
  });

  it('shows a view of a transposed matrix as it is seen', () => {
    expect(
      lines(
        Tensor.from([
          [1, 2],
          [3, 4],
        ]).transpose(),
      ).slice(1),
    ).toEqual(['[[1., 3.],', ' [2., 4.]]']);
  });

  it('says what was released, and where numbers come later, in place of them', async () => {
    const x = Tensor.from([1]);
    x.dispose();
    expect(String(x)).toContain('Tensor float32[1] on cpu (the memory of this tensor');
    const cpu = getBackend();
    await setBackend({
      ...cpu,
      readSync: () => {
        throw new Error('answers later');
      },
    });
    expect(String(Tensor.from([1]))).toBe('Tensor float32[1] on cpu (answers later)');
    await setBackend(cpu);
  });
});
