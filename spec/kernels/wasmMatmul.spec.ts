import { describe, expect, it } from 'vitest';
import { broadcast, cpu, dense, expectClose, on, type Sample, stored, variants } from './wasmSupport.ts';

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 17];

describe.each(variants)('wasm matmul, $name', ({ wasm }) => {
  function check(a: Sample, b: Sample, what: string): void {
    wasm.openScope();
    cpu.openScope();
    const K = a.shape[a.shape.length - 1];
    const want = cpu.matmul(on(cpu, a), on(cpu, b));
    expectClose(wasm.matmul(on(wasm, a), on(wasm, b)), want, wasm, 1e-6, what, Math.sqrt(K));
    wasm.closeScope(new Set());
    cpu.closeScope(new Set());
  }

  it.each([
    ['A B', [0, 1], [0, 1]],
    ['A Bᵀ', [0, 1], [1, 0]],
    ['Aᵀ B', [1, 0], [0, 1]],
    ['Aᵀ Bᵀ', [1, 0], [1, 0]],
  ])('%s in all small sizes', (what, aStorage, bStorage) => {
    for (const M of SIZES)
      for (const N of SIZES)
        for (const K of SIZES)
          for (const gap of [0, 3])
            check(
              stored([M, K], aStorage, M + N, gap),
              stored([K, N], bStorage, M + K, gap),
              `${what} M ${M} N ${N} K ${K} gap ${gap}`,
            );
  });

  it.each([
    [130, 37, 300],
    [5, 520, 257],
    [131, 517, 515],
    [1, 1030, 600],
    [3, 1030, 601],
    [600, 1, 603],
  ])('sizes across block borders: %d × %d × %d', (M, N, K) => {
    for (const aStorage of [
      [0, 1],
      [1, 0],
    ])
      for (const bStorage of [
        [0, 1],
        [1, 0],
      ])
        check(stored([M, K], aStorage, 1), stored([K, N], bStorage, 2), `${aStorage} ${bStorage}`);
  });

  it('batches: equal, broadcast, permuted', () => {
    check(dense([2, 3, 5, 7], 1), dense([2, 3, 7, 9], 2), 'dense');
    check(dense([2, 3, 5, 7], 1), broadcast(dense([2, 3, 7, 9], 2), [0, 1]), 'one B');
    check(dense([2, 3, 5, 7], 1), broadcast(dense([2, 3, 7, 9], 2), [0]), 'B per second axis');
    check(dense([2, 3, 5, 7], 1), broadcast(dense([2, 3, 7, 9], 2), [1]), 'B per first axis');
    check(broadcast(dense([2, 3, 5, 7], 1), [0, 1]), dense([2, 3, 7, 9], 2), 'one A');
    check(
      stored([2, 3, 5, 7], [0, 2, 1, 3], 1, 0),
      stored([2, 3, 7, 9], [0, 3, 1, 2], 2, 0),
      'heads between',
    );
    check(dense([6, 1, 7], 1), broadcast(dense([6, 7, 9], 2), [0]), 'one row each');
    check(stored([6, 1, 7], [2, 0, 1], 1, 0), broadcast(dense([6, 7, 9], 2), [0]), 'one column each');
    check(
      broadcast(dense([4, 5, 7], 1), [1]),
      broadcast(dense([4, 7, 9], 2), [2]),
      'constant rows and columns',
    );
  });

  it('empty axes', () => {
    for (const [M, N, K] of [
      [0, 3, 4],
      [3, 0, 4],
      [3, 4, 0],
      [20, 30, 0],
    ])
      check(dense([2, M, K], 1), dense([2, K, N], 2), `${M} ${N} ${K}`);
    check(dense([0, 3, 4], 1), dense([0, 4, 5], 2), 'no batch');
  });

  it('float64 stays float64', () => {
    const a = Float64Array.from([1, 1e-12]);
    const x = { data: a, shape: [1, 2], strides: [2, 1], offset: 0 };
    const y = { data: Float64Array.from([1, 1]), shape: [2, 1], strides: [1, 1], offset: 0 };
    const product = wasm.readSync(wasm.matmul(on(wasm, x), on(wasm, y)));
    expect(product).toEqual(Float64Array.from([1 + 1e-12]));
  });

  it('keeps six digits over 4096 terms', () => {
    const [M, N, K] = [16, 24, 4096];
    const want = cpu.matmul(on(cpu, dense([M, K], 1)), on(cpu, dense([K, N], 2)));
    expectClose(wasm.matmul(on(wasm, dense([M, K], 1)), on(wasm, dense([K, N], 2))), want, wasm, 1e-6);
  });
});
