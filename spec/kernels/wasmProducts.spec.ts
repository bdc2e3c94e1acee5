import { describe, expect, it } from 'vitest';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { instantiate } from '../../src/kernels/wasm/module.ts';
import { type Product, productCalls } from '../../src/kernels/wasm/products.ts';
import { numbers } from './wasmSupport.ts';

const modules = [
  { name: 'plain SIMD', wasm: instantiate({ relaxed: false, threads: 1 }) },
  ...(hasRelaxedSimd() ? [{ name: 'relaxed SIMD', wasm: instantiate({ relaxed: true, threads: 1 }) }] : []),
];

const SHAPES = [
  [1, 1500, 700],
  [2, 1030, 515],
  [3, 1031, 517],
  [4, 999, 1100],
  [9, 1027, 600],
  [700, 1, 1501],
  [131, 517, 515],
  [300, 1100, 300],
  [900, 70, 130],
] as const;

const STORAGE = [
  ['A B', false, false],
  ['A Bᵀ', false, true],
  ['Aᵀ B', true, false],
  ['Aᵀ Bᵀ', true, true],
] as const;

type Calls = ReturnType<typeof productCalls>;

/** How often each element of C [m, n] at address c is written by the calls. */
function writes({ calls }: Calls, { m, n, c }: Product): Uint8Array {
  const count = new Uint8Array(m * n);
  for (const part of calls) {
    const start = (part.c - c) / 4;
    for (let i = 0; i < part.m; i++)
      for (let j = 0; j < part.n; j++) count[start + (i * part.cRow) / 4 + j] += 1;
  }
  return count;
}

describe.each(modules)('parts of a product, $name', ({ wasm }) => {
  const { heap, kernels, pool } = wasm;

  function upload(n: number, seed: number): number {
    const buffer = heap.allocate('float32', n, false);
    (buffer.data as Float32Array).set(numbers(n, seed));
    return buffer.pointer;
  }

  it.each(STORAGE)('%s: any division gives the same bits, and each element once', (_, aTurned, bTurned) => {
    for (const [m, n, k] of SHAPES) {
      heap.openScope();
      const out = heap.allocate('float32', m * n, false);
      const product: Product = {
        m,
        n,
        k,
        a: upload(m * k, 1),
        aRow: aTurned ? 4 : 4 * k,
        aCol: aTurned ? 4 * m : 4,
        b: upload(k * n, 2),
        bRow: bTurned ? 4 : 4 * n,
        bCol: bTurned ? 4 * k : 4,
        c: out.pointer,
        cRow: 4 * n,
      };
      const whole = productCalls([product], 1);
      expect(whole.calls.length).toBe(1);
      pool.run(whole.kernel, whole.calls, m * n * k);
      const want = Uint32Array.from(new Uint32Array(heap.buffer, out.pointer, m * n));
      for (const threads of [2, 3, 8]) {
        const divided = productCalls([product], threads);
        expect(divided.kernel).toBe(whole.kernel);
        const what = `${m} × ${n} × ${k} on ${threads} threads`;
        expect(divided.calls.length, what).toBeGreaterThan(1);
        expect(
          writes(divided, product).every((count) => count === 1),
          `${what}: each element once`,
        ).toBe(true);
        (out.data as Float32Array).fill(Number.NaN);
        pool.run(divided.kernel, divided.calls.toReversed(), m * n * k);
        const got = new Uint32Array(heap.buffer, out.pointer, m * n);
        expect(
          want.every((bits, i) => got[i] === bits),
          `${what}: same bits`,
        ).toBe(true);
      }
      heap.closeScope(new Set());
    }
  });

  it('any rectangle has the bits of the whole', () => {
    const [m, n, k] = [37, 61, 700];
    const [a, b] = [upload(m * k, 3), upload(k * n, 4)];
    const [c, d] = [heap.allocate('float32', m * n, false), heap.allocate('float32', m * n, false)];
    const strides = { aRow: 4 * k, aCol: 4, bRow: 4 * n, bCol: 4, cRow: 4 * n, add: 0 };
    kernels.gemm({ ...strides, m, n, k, a, b, c: c.pointer });
    for (const [i, until, j, to] of [
      [0, 1, 0, 61],
      [3, 10, 5, 6],
      [36, 37, 60, 61],
      [5, 30, 9, 50],
    ]) {
      const at = 4 * (i * n + j);
      const part = { m: until - i, n: to - j, k, a: a + 4 * i * k, b: b + 4 * j, c: d.pointer + at };
      kernels.gemm({ ...strides, ...part });
      for (let r = i; r < until; r++)
        for (let s = j; s < to; s++) expect(d.data[r * n + s]).toBe(c.data[r * n + s]);
    }
  });

  it('small products and batches are not cut', () => {
    const product: Product = {
      m: 64,
      n: 64,
      k: 32,
      a: 0,
      aRow: 128,
      aCol: 4,
      b: 0,
      bRow: 256,
      bCol: 4,
      c: 0,
      cRow: 256,
    };
    expect(productCalls([product], 8).calls.length).toBe(1);
    expect(productCalls(new Array<Product>(64).fill(product), 8).calls.length).toBe(64);
  });
});
