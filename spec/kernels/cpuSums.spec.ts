/** Reductions and the matrix product of the cpu backend against sums written out on plain numbers. */
import { describe, expect, it } from 'vitest';
import { swapLastTwo } from '../../src/kernels/views.ts';
import { cpu, expectValues, indices, LAYOUTS, on, repeated, wave, whole } from './cpuSupport.ts';

const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);

describe('reductions', () => {
  const x = wave([2, 3, 4], 3);
  const at = indices(x.shape);
  /** Numbers of x in groups that agree in all axes but `axes`. */
  const groups = (axes: readonly number[]) => {
    const members = new Map<string, number[]>();
    for (const [i, index] of at.entries()) {
      const key = index.filter((_, axis) => !axes.includes(axis)).join();
      members.set(key, [...(members.get(key) ?? []), x.values[i]]);
    }
    return [...members.values()];
  };
  const kept = (axes: readonly number[]) => x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));

  it.each([[[]], [[0]], [[1]], [[2]], [[0, 2]], [[1, 2]], [[0, 1, 2]]])('sum over %j', (axes) => {
    for (const layout of LAYOUTS)
      expectValues(cpu.sum(on(x, 'float64', layout), axes), whole(kept(axes), groups(axes).map(total)));
  });

  it.each([0, 1, 2])('max and argmax over axis %i', (axis) => {
    for (const layout of LAYOUTS) {
      const X = on(x, 'float32', layout);
      const max = groups([axis]).map((g) => Math.max(...g));
      expectValues(cpu.max(X, axis), whole(kept([axis]), max.map(Math.fround)));
      const first = groups([axis]).map((g) => g.indexOf(Math.max(...g)));
      const argmax = cpu.argmax(X, axis);
      expect(argmax.buffer.dtype).toBe('int32');
      expectValues(argmax, whole(x.shape.toSpliced(axis, 1), first));
    }
  });

  it('sums repeated elements as often as they are seen', () => {
    const row = repeated(on(whole([1, 3], [1, 2, 3])), [4, 3], [0]);
    expectValues(cpu.sum(row, [0]), whole([1, 3], [4, 8, 12]));
    expectValues(cpu.sum(row, [0, 1]), whole([1, 1], [24]));
  });

  it('takes the first of equal maxima, NaN above all, and empty axes', () => {
    const X = on(whole([2, 4], [1, 5, 5, 2, 1, Number.NaN, 9, Number.NaN]));
    expectValues(cpu.argmax(X, 1), whole([2], [1, 1]));
    expectValues(cpu.max(X, 1), whole([2, 1], [5, Number.NaN]));
    expectValues(cpu.sum(on(whole([2, 0], [])), [1]), whole([2, 1], [0, 0]));
    expectValues(cpu.max(on(whole([0, 2], [])), 1), whole([0, 1], []));
    expectValues(cpu.sum(on(whole([], [3])), []), whole([], [3]));
  });

  it('accumulates float32 in double precision', () => {
    // In single precision 2²⁴ + 1 is 2²⁴ again.
    const X = on(whole([5], [2 ** 24, 1, 1, 1, 1]), 'float32');
    expectValues(cpu.sum(X, [0]), whole([1], [2 ** 24 + 4]));
  });

  it('adds int32 as int32', () => {
    const y = cpu.sum(on(whole([3], [4, 5, -20]), 'int32'), [0]);
    expect(y.buffer.dtype).toBe('int32');
    expectValues(y, whole([1], [-11]));
  });
});

describe('matmul', () => {
  const product = (a: readonly number[], b: readonly number[], M: number, N: number, K: number) =>
    indices([M, N]).map(([m, n]) => total(Array.from({ length: K }, (_, k) => a[m * K + k] * b[k * N + n])));

  // Single rows and columns, single terms, and more.
  it.each([
    [1, 1, 1],
    [2, 4, 3],
    [3, 5, 7],
    [1, 9, 4],
    [8, 1, 2],
    [5, 3, 1],
  ])('[%i, ·] · [·, %i], K = %i', (M, N, K) => {
    const [a, b] = [wave([M, K], 1), wave([K, N], 2)];
    const c = whole([M, N], product(a.values, b.values, M, N, K));
    for (const left of LAYOUTS)
      for (const right of LAYOUTS)
        expectValues(cpu.matmul(on(a, 'float64', left), on(b, 'float64', right)), c, 4);
    expectValues(cpu.matmul(on(a, 'float32'), on(b, 'float32')), c, 8);
  });

  it.each(['float32', 'float64'] as const)(
    '%s: tiles and edges have the bits of three plain loops',
    (dtype) => {
      for (const M of [1, 2, 3, 6])
        for (const N of [1, 3, 4, 5, 9])
          for (const K of [1, 2, 7, 33]) {
            const [A, B] = [on(wave([M, K], 1), dtype), on(wave([K, N], 2), dtype)];
            const [a, b] = [cpu.readSync(A), cpu.readSync(B)];
            const c = cpu.readSync(cpu.matmul(A, B));
            const plain = c.slice().fill(0);
            for (let m = 0; m < M; m++)
              for (let n = 0; n < N; n++) {
                let sum = 0;
                for (let k = 0; k < K; k++) sum += a[m * K + k] * b[k * N + n];
                plain[m * N + n] = sum;
              }
            expect(c, `${M} × ${K} · ${K} × ${N}`).toEqual(plain);
          }
    },
  );

  it('takes transposed views', () => {
    const [a, b] = [wave([4, 3], 1), wave([5, 4], 2)];
    const c = cpu.matmul(swapLastTwo(on(a)), swapLastTwo(on(b)));
    const transposed = (x: { values: readonly number[] }, rows: number, columns: number) =>
      indices([columns, rows]).map(([j, i]) => x.values[i * columns + j]);
    expectValues(c, whole([3, 5], product(transposed(a, 4, 3), transposed(b, 5, 4), 3, 5, 4)), 4);
  });

  it('multiplies matrix by matrix along leading axes, broadcast ones too', () => {
    const [a, b] = [wave([2, 3, 2, 4], 1), wave([2, 1, 4, 3], 2)];
    const expected = indices([2, 3]).flatMap(([i, j]) =>
      product(a.values.slice((i * 3 + j) * 8), b.values.slice(i * 12), 2, 3, 4),
    );
    const c = cpu.matmul(on(a), repeated(on(b), [2, 3, 4, 3], [1]));
    expectValues(c, whole([2, 3, 2, 3], expected), 4);
  });

  it.each([
    [0, 2, 3],
    [2, 0, 3],
    [2, 3, 0],
  ])('M, N, K = %i, %i, %i', (M, N, K) => {
    const c = cpu.matmul(on(whole([M, K], Array(M * K).fill(1))), on(whole([K, N], Array(K * N).fill(1))));
    expectValues(c, whole([M, N], Array(M * N).fill(0)));
  });

  it('accumulates in double precision', () => {
    const a = on(whole([1, 3], [2 ** 24, 1, 1]), 'float32');
    expectValues(cpu.matmul(a, on(whole([3, 1], [1, 1, 1]), 'float32')), whole([1, 1], [2 ** 24 + 2]));
  });
});
