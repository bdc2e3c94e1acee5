/** Copies larger than the squares they are transposed by, and kernels called range by range. */
import { describe, expect, it } from 'vitest';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { instantiate } from '../../src/kernels/wasm/module.ts';
import { cpu, dense, numbers, on, stored, variants } from './wasmSupport.ts';

describe.each(variants)('wasm copies, $name', ({ wasm }) => {
  it.each([
    [64, 64],
    [65, 130],
    [131, 63],
    [3, 200],
    [200, 5],
  ])('transposes [2, %d, %d]', (M, N) => {
    for (const order of [
      [0, 2, 1],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const x = stored([2, M, N], order, 1);
      expect(wasm.readSync(wasm.copy(on(wasm, x)))).toEqual(cpu.readSync(cpu.copy(on(cpu, x))));
    }
  });
});

describe.each([false, ...(hasRelaxedSimd() ? [true] : [])])('by ranges, relaxed: %s', (relaxed) => {
  const { heap, kernels } = instantiate({ relaxed });

  function place(data: Float32Array | Int32Array): number {
    const buffer = heap.allocate(data instanceof Int32Array ? 'int32' : 'float32', data.length, false);
    buffer.data.set(data);
    return buffer.pointer;
  }

  function floats(at: number, n: number): Float32Array {
    return new Float32Array(heap.buffer, at, n).slice();
  }

  it('scatterAddRows over columns keeps the order of repeated rows', () => {
    const [count, n, rows] = [40, 23, 6];
    const index = Int32Array.from(numbers(count, 3), (x) => Math.floor((x + 1) * 2.9));
    const [x, at] = [place(numbers(count * n, 1, 1e3)), place(index)];
    const [whole, parts] = [place(new Float32Array(rows * n)), place(new Float32Array(rows * n))];
    kernels.scatterAddRows({ count, n, row: 4 * n, x, index: at, out: whole });
    for (const [from, to] of [
      [13, 23],
      [0, 5],
      [5, 13],
    ])
      kernels.scatterAddRows({
        count,
        n: to - from,
        row: 4 * n,
        x: x + 4 * from,
        index: at,
        out: parts + 4 * from,
      });
    expect(floats(parts, rows * n)).toEqual(floats(whole, rows * n));
    expect(floats(whole, rows * n).some((value) => value !== 0)).toBe(true);
  });

  it('rotary over heads', () => {
    const [H, T, half] = [5, 7, 6];
    const [x, cos, sin] = [dense([H, T, 2 * half], 1), dense([T, half], 2), dense([T, half], 3)].map((s) =>
      place(s.data as Float32Array),
    );
    const [whole, parts] = [place(new Float32Array(H * T * 12)), place(new Float32Array(H * T * 12))];
    const head = 4 * T * 2 * half;
    const turn = (from: number, to: number, y: number) => {
      const rows = { xB: 0, xH: head, xT: 8 * half, cos, cB: 0, cT: 4 * half, sin, sB: 0, sT: 4 * half };
      const at = from * head;
      kernels.rotary({ ...rows, B: 1, H: to - from, T, half, x: x + at, sign: 1, y: y + at });
    };
    turn(0, H, whole);
    turn(2, 5, parts);
    turn(0, 2, parts);
    expect(floats(parts, H * T * 12)).toEqual(floats(whole, H * T * 12));
    expect(floats(whole, H * T * 12).every((value) => value !== 0)).toBe(true);
  });
});
