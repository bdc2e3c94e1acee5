import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { WebAssemblyKernel } from 'gpu.js';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { View } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { type Device, openDevice } from '../../src/kernels/gpujs/device.ts';
import { createGpuJsBackend } from '../../src/kernels/gpujs/gpuJsBackend.ts';
import type { GpuJsBackend } from '../../src/kernels/gpujs/options.ts';
import { chunksOf, program } from '../../src/kernels/gpujs/program.ts';
import { selfTest } from '../../src/kernels/gpujs/selfTest.ts';
import { denseView, sizeOf, swapLastTwo } from '../../src/kernels/views.ts';

type Numbers = (i: number) => number;

/** Within ±1, without a short period. */
const wave: Numbers = (i) => Math.sin(i * 1.7 + 0.3);

describe.each(['webasm', 'cpu'] as const)('gpujs on %s', (mode) => {
  let backend: GpuJsBackend;
  beforeAll(async () => {
    backend = await createGpuJsBackend({ mode });
  });
  afterAll(() => backend.destroy());

  const float32 = (shape: readonly number[], value: Numbers = wave): View =>
    denseView(backend.upload(Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i))), shape);
  const read = (x: View) => backend.readSync(x);

  /** The same elements in float64, which a cpu backend multiplies and sums in float64. */
  const host = createCpuBackend();
  const exact = (x: View, map: (v: number) => number = (v) => v): View =>
    denseView(host.upload(Float64Array.from(read(x), map)), x.shape);

  function expectMatmul(a: View, b: View): void {
    const got = backend.matmul(a, b);
    const want = host.matmul(exact(a), exact(b));
    const bound = host.readSync(host.matmul(exact(a, Math.abs), exact(b, Math.abs)));
    expect(got.shape).toEqual(want.shape);
    const values = read(got);
    host.readSync(want).forEach((value, i) => {
      expect(Math.abs(values[i] - value), `element ${i}: ${values[i]}, not ${value}`).toBeLessThanOrEqual(
        1e-6 * bound[i],
      );
    });
  }

  function expectSoftmax(x: View, causal: boolean): void {
    const got = backend.softmax(x, { causal });
    const values = read(got);
    expect(got.shape).toEqual(x.shape);
    host.readSync(host.softmax(exact(x), { causal })).forEach((value, i) => {
      const allowed = 2e-6 * Math.abs(value);
      expect(Math.abs(values[i] - value), `element ${i}: ${values[i]}, not ${value}`).toBeLessThanOrEqual(
        allowed,
      );
    });
  }

  it('says what it runs on', () => {
    expect(backend.name).toBe('gpujs');
    expect(backend.mode).toBe(mode);
    expect(backend.describe()).toContain(`gpujs on ${mode} (asked for)`);
    expect(backend.dtypes).toEqual(['float32', 'int32', 'bool']);
  });

  it('leaves no buffers of its self-test', async () => {
    const fresh = await createGpuJsBackend({ mode });
    expect(fresh.memory()).toEqual({ bytes: 0, buffers: 0 });
    await fresh.destroy();
  });

  describe('matmul', () => {
    it.each([
      [1, 1, 1],
      [1, 5, 9],
      [9, 5, 1],
      [2, 3, 4],
      [4, 4, 4],
      [5, 63, 7],
      [6, 64, 2],
      [7, 65, 3],
      [33, 129, 17],
    ])('[%i, %i] · [.., %i] with operands by rows and by columns', (m, k, n) => {
      expectMatmul(float32([m, k]), float32([k, n]));
      expectMatmul(swapLastTwo(float32([k, m])), float32([k, n]));
      expectMatmul(float32([m, k]), swapLastTwo(float32([n, k])));
      expectMatmul(swapLastTwo(float32([k, m])), swapLastTwo(float32([n, k])));
    });

    it('equals cpu for any batch, broadcast, order, slice and empty size', () => {
      const size = fc.integer({ min: 0, max: 6 });
      const operand = fc.record({ transposed: fc.boolean(), broadcast: fc.boolean(), gap: fc.nat(1) });
      const batch = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 });
      fc.assert(
        fc.property(batch, size, size, size, operand, operand, (lead, m, k, n, left, right) => {
          expectMatmul(strided(lead, m, k, left), strided(lead, k, n, right));
        }),
        { numRuns: 60, seed: 7 },
      );
    });

    /** [lead..., rows, cols] that lies in memory as told, beginning at element 1. */
    function strided(
      lead: readonly number[],
      rows: number,
      cols: number,
      how: { transposed: boolean; broadcast: boolean; gap: number },
    ): View {
      const [slow, fast] = how.transposed ? [cols, rows] : [rows, cols];
      const whole = float32([...(how.broadcast ? [] : lead), slow, fast + how.gap + 1]);
      const strides = whole.strides.slice();
      if (how.broadcast) strides.unshift(...lead.map(() => 0));
      const view = {
        ...whole,
        shape: [...lead, slow, fast],
        strides,
        offset: sizeOf(whole.shape) > 0 ? 1 : 0,
      };
      return how.transposed ? swapLastTwo(view) : view;
    }

    it('takes int32 as the host does', () => {
      const a = denseView(backend.upload(Int32Array.of(1, 2, 3, 4)), [2, 2]);
      expect([...read(backend.matmul(a, a))]).toEqual([7, 10, 15, 22]);
    });

    it('does not end a loop at 1000', () => {
      expectMatmul(float32([4, 2500]), float32([2500, 4]));
      expectMatmul(float32([1, 2500]), float32([2500, 4]));
      expectMatmul(
        float32([1, 2500], () => 1),
        float32([2500, 1], () => 1),
      );
    });

    it('rounds as sums of short sums do', () => {
      const k = 2 ** 16;
      const tenths = () => 0.1;
      const want = k * Math.fround(0.1) ** 2;
      for (const m of [1, 4]) {
        const c = read(backend.matmul(float32([m, k], tenths), float32([k, 2], tenths)));
        for (const value of c) expect(Math.abs(value / want - 1)).toBeLessThan(5e-6); // in one long sum 2e-4
      }
    });

    it('reads nothing past the last row', () => {
      // 300 000 · 4 bytes a row: a fourth row that is not there lies past the end of the kernel's memory
      const k = 300_000;
      const ones = (m: number, n: number) =>
        denseView(backend.upload(new Float32Array(m * n).fill(1)), [m, n]);
      expect([...read(backend.matmul(ones(5, k), ones(k, 2)))]).toEqual(new Array(10).fill(k));
    });
  });

  describe('softmax', () => {
    it.each([
      [[1]],
      [[7]],
      [[64]],
      [[3, 5]],
      [[2, 3, 65]],
      [[2, 2, 3, 4]],
      [[2, 1, 70]],
      [[1, 1500]],
      [[2, 1500]],
    ])('%j', (shape) => {
      expectSoftmax(
        float32(shape, (i) => 10 * wave(i)),
        false,
      );
    });

    it.each([[[5, 5]], [[2, 3, 3, 9]], [[2, 1, 9]], [[3, 1030]], [[2, 4, 66]]])('%j, causal', (shape) => {
      expectSoftmax(
        float32(shape, (i) => 10 * wave(i)),
        true,
      );
    });

    it('takes views and zero sizes', () => {
      expectSoftmax(swapLastTwo(float32([3, 5])), false);
      expectSoftmax(swapLastTwo(float32([2, 5, 3])), true);
      for (const shape of [[0], [0, 3], [3, 0], [2, 0, 3]]) {
        expect(backend.softmax(float32(shape), { causal: false }).shape).toEqual(shape);
      }
    });

    it('gives zeros where a row sees nothing, whatever is there', () => {
      const x = float32([3, 2], (i) => [NaN, Infinity, -Infinity, 3, 1, 1][i]);
      expect([...read(backend.softmax(x, { causal: true }))]).toEqual([0, 0, 0, 0, 0.5, 0.5]);
      const y = float32([4, 2], (i) => (i < 4 ? 1e30 : 2));
      expect([...read(backend.softmax(y, { causal: true }))]).toEqual([0, 0, 0, 0, 1, 0, 0.5, 0.5]);
    });

    it('gives what −∞ hides exactly nothing', () => {
      const x = float32([2, 3], (i) => (i % 3 === 1 ? -Infinity : 5));
      expect([...read(backend.softmax(x, { causal: false }))]).toEqual([0.5, 0, 0.5, 0.5, 0, 0.5]);
      expect([
        ...read(
          backend.softmax(
            float32([1, 2], (i) => -200 * i),
            { causal: false },
          ),
        ),
      ]).toEqual([1, 0]);
    });

    it('keeps rows of very large and very small numbers', () => {
      const x = float32([2, 3], (i) => (i < 3 ? -3e38 : 3e38));
      for (const value of read(backend.softmax(x, { causal: false }))) expect(value).toBeCloseTo(1 / 3, 6);
    });

    it('exp keeps seven digits down to the smallest', () => {
      const v = Float32Array.from({ length: 500 }, (_, i) => -0.17 * i);
      for (const value of v) {
        const [top, low] = read(
          backend.softmax(
            float32([1, 2], (i) => i * value),
            { causal: false },
          ),
        );
        const want = Math.exp(value);
        expect(Math.abs(low / top - want), `exp(${value})`).toBeLessThanOrEqual(4e-7 * want);
      }
    });
  });
});

describe('gpujs modes', () => {
  it('auto finds no GPU here and takes WebAssembly, not plain JavaScript', async () => {
    const warn = vi.spyOn(console, 'warn');
    const backend = await createGpuJsBackend();
    expect(backend.mode).toBe('webasm');
    expect(backend.describe()).toMatch(/^gpujs on webasm \(no WebGPU adapter, no WebGL2\): /);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    await backend.destroy();
  });

  it('a mode by name is that mode or an error', async () => {
    await expect(createGpuJsBackend({ mode: 'webgpu' })).rejects.toThrow(/mode "webgpu" is not available/);
    await expect(createGpuJsBackend({ mode: 'webgl2' })).rejects.toThrow(/mode "webgl2" is not available/);
    await expect(createGpuJsBackend({ mode: 'headlessgl' })).rejects.toThrow(
      /mode "headlessgl" is not available/,
    );
    await expect(createGpuJsBackend({ mode: 'gpu' as 'auto' })).rejects.toThrow(
      /mode is "gpu", expected "auto"/,
    );
  });

  it('throws where GPU.js falls back to plain JavaScript', async () => {
    const prototype = WebAssemblyKernel.prototype as unknown as { translateSource(): boolean };
    const refuse = vi.spyOn(prototype, 'translateSource').mockReturnValue(false);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await expect(createGpuJsBackend({ mode: 'webasm' })).rejects.toThrow(
      /^gpujs: .* did not run on webasm: GPU\.js fell back to plain JavaScript \(return type .* not supported/,
    );
    refuse.mockRestore();
    warn.mockRestore();
  });

  it('self-test names the kernel that is wrong, its shapes and the error', async () => {
    const host = createCpuBackend();
    const test = createCpuBackend();
    const off = (x: View) => test.binary('add', x, test.fill(x.shape, 1e-3, 'float32'));
    await selfTest(test, host);
    await expect(selfTest({ ...test, matmul: (a, b) => off(test.matmul(a, b)) }, host)).rejects.toThrow(
      /^gpujs: self-test failed in matmul \[1,1\] · \[1,1\]: 1 of 1 elements wrong, greatest error 0\.00/,
    );
    const blind = { ...test, softmax: (x: View) => test.softmax(x, { causal: false }) };
    await expect(selfTest(blind, host)).rejects.toThrow(
      /^gpujs: self-test failed in softmax \[3,2,9\], causal: \d+ of 54 elements wrong/,
    );
    await expect(selfTest({ ...test, swiglu: (_, up) => off(up) }, host)).rejects.toThrow(
      /^gpujs: self-test failed in swiglu: 210 of 210 elements wrong/,
    );
    expect(host.memory().buffers).toBe(0);
    expect(test.memory().buffers).toBe(0);
  });
});

describe('gpujs device', () => {
  const DOUBLE = program('double', { arrays: ['x'], body: 'return x[this.thread.x + xAt] * 2;' });

  /** Twice 0 … n − 1, on as many threads. */
  function double(device: Device, n: number): number[] {
    const x = Float32Array.from({ length: n }, (_, i) => i);
    const run = { program: DOUBLE, arrays: [x], integers: [0], floats: [], threads: [n] };
    return [...(device.run(run) as Float32Array)];
  }

  it('compiles a size once and keeps no more programs than it may', async () => {
    const device = await openDevice('webasm', { programs: 3, bytes: 1 << 20 });
    for (const n of [1, 2, 3, 2, 1, 4])
      expect(double(device, n)).toEqual(Array.from({ length: n }, (_, i) => 2 * i));
    expect(device.programs()).toBe(3);
    const small = await openDevice('webasm', { programs: 99, bytes: 1000 });
    for (const n of [50, 60, 70]) double(small, n); // 400, 480, 560 bytes
    expect(small.programs()).toBe(1);
    device.clear();
    expect(device.programs()).toBe(0);
    await Promise.all([device.destroy(), small.destroy()]);
  });

  it('makes do with fewer programs where no more memories can be had', async () => {
    const device = await openDevice('webasm');
    const { Memory } = WebAssembly;
    let left = 5;
    vi.stubGlobal('WebAssembly', {
      ...Object.fromEntries(
        Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]),
      ),
      Memory: class extends Memory {
        constructor(descriptor: WebAssembly.MemoryDescriptor) {
          if (left-- === 0) throw new RangeError('WebAssembly.Memory(): could not allocate memory');
          super(descriptor);
        }
      },
    });
    for (const n of [1, 2, 3, 4, 5, 6, 7])
      expect(double(device, n)).toEqual(Array.from({ length: n }, (_, i) => 2 * i));
    vi.unstubAllGlobals();
    expect(left).toBeLessThan(0);
    expect(device.programs()).toBe(2); // of five, half
    await device.destroy();
  });

  it('refuses a call with too few numbers', async () => {
    const device = await openDevice('webasm');
    const run = { program: DOUBLE, arrays: [new Float32Array(4)], integers: [], floats: [], threads: [4] };
    expect(() => device.run(run)).toThrow(/^gpujs: double takes 1, 1, 0 arguments/);
    await device.destroy();
  });

  it('compiles a few programs, not one per step, for a length that grows', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    const zeros = (shape: readonly number[]) =>
      denseView(backend.upload(new Float32Array(sizeOf(shape))), shape);
    const step = (length: number) => {
      backend.openScope();
      const cache = { ...zeros([1, 2, 128, 8]), shape: [1, 2, length, 8] };
      backend.assign({ ...cache, shape: [1, 2, 1, 8], offset: (length - 1) * 8 }, zeros([1, 2, 1, 8]));
      backend.attention(zeros([1, 4, 1, 8]), cache, cache, null, { causal: true });
      backend.closeScope(new Set());
    };
    step(40);
    const first = backend.programs();
    for (let length = 41; length <= 104; length++) step(length);
    // Each program once more for each capacity between 40 and 104, of which there are 12 for an axis and 7 for a buffer.
    expect(backend.programs()).toBeLessThanOrEqual(12 * first);
    await backend.destroy();
  });

  it('does not end loops at 1000', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    const n = 2 ** 21; // in chunks of 1024 or more
    const ones = denseView(backend.upload(new Float32Array(n).fill(1)), [1, 2 ** 20, 2]);
    const sum = backend.rmsNorm({ ...ones, shape: [1, n - 1] }, { ...ones, shape: [n - 1] }, 0).rstd;
    expect([...backend.readSync(sum)]).toEqual([1]);
    const many = { ...ones, shape: [3000, 2], strides: [2, 1] };
    const index = denseView(backend.upload(new Int32Array(3000).fill(1)), [3000]);
    const rows = backend.scatterAddRows(many, index, 3);
    expect([...backend.readSync(rows)]).toEqual([0, 0, 3000, 3000, 0, 0]);
    await backend.destroy();
  });

  it('no loop reaches the 65 536 turns at which drivers stop', () => {
    for (const length of [1, 32, 33, 1000, 2 ** 20, 2 ** 26 + 1]) {
      const [chunk, chunks] = chunksOf(length);
      expect(chunk * chunks).toBeGreaterThanOrEqual(length);
      expect(Math.max(chunk, chunks)).toBeLessThan(65_536);
    }
  });

  it('gives its kernels back to GPU.js', async () => {
    const destroy = vi.spyOn(WebAssemblyKernel.prototype, 'destroy');
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    destroy.mockClear(); // those of the self-test
    const x = denseView(backend.upload(new Float32Array(16)), [4, 4]);
    backend.matmul(x, x);
    backend.softmax(x, { causal: true });
    await backend.destroy();
    expect(destroy).toHaveBeenCalledTimes(5);
    destroy.mockRestore();
  });

  it.each([false, true])(
    'bundled (minified: %s) it is right, and the process ends by itself',
    async (minify) => {
      const dir = mkdtempSync('node_modules/.gpujs-spec-');
      try {
        const file = join(dir, 'bundle.mjs');
        const run = join(dir, 'run.mjs');
        const input = 'src/kernels/gpujs/gpuJsBackend.ts';
        const bundle = await rolldown({ input, platform: 'node', external: ['gpu.js'] });
        await bundle.write({ file, minify, format: 'esm' });
        writeFileSync(
          run,
          `import { createGpuJsBackend } from './bundle.mjs';
         for (const mode of ['webasm', 'cpu']) console.log((await createGpuJsBackend({ mode })).describe());`,
        );
        const child = spawnSync(process.execPath, [run], { encoding: 'utf8', timeout: 30_000 });
        expect({ ...child, stderr: child.stderr.slice(-1000) }).toMatchObject({
          status: 0,
          signal: null,
          stderr: '',
        });
        expect(child.stdout).toMatch(/^gpujs on webasm.*\ngpujs on cpu/);
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );

  it('reads the right element beyond 2²⁴', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    const n = 4100; // n² > 2²⁴
    const digits = new Float32Array(n * n);
    for (let i = 0; i < digits.length; i++) digits[i] = (i % 7) - 3;
    const square = denseView(backend.upload(digits), [n, n]);
    const pick = denseView(backend.upload(Float32Array.from({ length: 2 * n }, (_, i) => (i % 5) - 2)), [
      n,
      2,
    ]);
    const tail = { ...square, shape: [4, n], offset: (n - 4) * n };
    const c = backend.readSync(backend.matmul(square, pick)); // four rows a thread
    expect([...c.subarray(2 * (n - 4))]).toEqual([...backend.readSync(backend.matmul(tail, pick))]);
    const column = { ...pick, shape: [n, 1] };
    const d = backend.readSync(backend.matmul(square, column)); // a row of the transposed product
    expect([...d.subarray(n - 4)]).toEqual([...backend.readSync(backend.matmul(tail, column))]);
    const flat = backend.readSync(backend.matmul({ ...column, shape: [1, n], strides: [0, 2] }, square));
    const last = { ...square, shape: [n, 4], offset: n - 4 };
    const lastFlat = backend.readSync(backend.matmul({ ...column, shape: [1, n], strides: [0, 2] }, last));
    expect([...flat.subarray(n - 4)]).toEqual([...lastFlat]);
    await backend.destroy();
  });

  it('finds positions beyond 2²⁴ by division', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    const [rows, width] = [4200, 4001]; // some 33 000 elements behind 2²⁴
    const value = (i: number) => (i * 7919) % 1021;
    const data = Float32Array.from({ length: rows * width }, (_, i) => value(i));
    const x = denseView(backend.upload(data), [rows, width]);
    const tail = (y: View) => [
      ...backend.readSync({ ...y, shape: [2000], strides: [1], offset: data.length - 2000 }),
    ];
    const expected = (f: (i: number) => number) =>
      Array.from({ length: 2000 }, (_, k) => f(data.length - 2000 + k));

    const turned = backend.copy(swapLastTwo(x)); // [width, rows]
    expect(tail(turned)).toEqual(expected((i) => value((i % rows) * width + Math.floor(i / rows))));
    backend.release(turned.buffer);

    const index = denseView(backend.upload(Int32Array.from({ length: rows }, (_, r) => rows - 1 - r)), [
      rows,
    ]);
    const reversed = backend.gatherRows(x, index);
    const mirrored = (i: number) => value((rows - 1 - Math.floor(i / width)) * width + (i % width));
    expect(tail(reversed)).toEqual(expected(mirrored));
    const scattered = backend.scatterAddRows(reversed, index, rows);
    expect(tail(scattered)).toEqual(expected(value));
    backend.release(reversed.buffer);
    backend.release(scattered.buffer);

    const length = 2 ** 24 + 67; // no float32; behind it lies more
    const ends = new Float32Array(length + 5).fill(1, 2 ** 24);
    const long = { ...denseView(backend.upload(ends), [ends.length]), shape: [length] };
    expect([...backend.readSync(backend.sum(long, [0]))]).toEqual([67]);
    backend.release(long.buffer);

    const columns = { ...x, shape: [rows, 3], strides: [width, 2], offset: width - 5 };
    backend.assign(columns, backend.fill([rows, 3], -1, 'float32'));
    const overwritten = (i: number) => width - 5 <= i % width && (i % width) % 2 === 0;
    expect(tail(x)).toEqual(expected((i) => (overwritten(i) ? -1 : value(i))));
    await backend.destroy();
  });
});
