/** Threads: the same bits for any number of them, and nothing that keeps a process alive. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend, View } from '../../src/kernels/backend.ts';
import { denseView, sizeOf, swapLastTwo } from '../../src/kernels/views.ts';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { createWasmBackend, threadSupport, type WasmBackend } from '../../src/kernels/wasm/index.ts';
import { numbers } from './wasmSupport.ts';

type Kernel = (backend: Backend, float: (shape: readonly number[], seed: number) => View) => readonly View[];

function whole(backend: Backend, values: readonly number[]): View {
  return denseView(backend.upload(Int32Array.from(values)), [values.length]);
}

/** Sizes at which work is divided, none of them a multiple of a tile, a vector or the number of threads. */
const KERNELS: { readonly [name: string]: Kernel } = {
  copy: (b, f) => [b.copy(swapLastTwo(f([31, 67, 93], 1)))],
  concat: (b, f) => [b.concat([f([71, 501, 3], 1), f([71, 502, 3], 2)], 1)],
  gatherRows: (b, f) => [
    b.gatherRows(
      f([50, 333], 1),
      whole(
        b,
        Array.from({ length: 801 }, (_, i) => (i * 7) % 50),
      ),
    ),
  ],
  scatterAddRows: (b, f) => [
    b.scatterAddRows(
      f([801, 333], 1),
      whole(
        b,
        Array.from({ length: 801 }, (_, i) => (i * 7) % 50),
      ),
      50,
    ),
  ],
  unary: (b, f) =>
    (['neg', 'exp', 'sqrt', 'erf', 'sigmoid', 'relu', 'silu', 'gelu', 'tanh'] as const).map((name) =>
      b.unary(name, f([70_003], 1)),
    ),
  unaryBackward: (b, f) =>
    (['exp', 'erf', 'relu', 'silu', 'gelu', 'tanh'] as const).map((name) =>
      b.unaryBackward(name, f([70_003], 1), f([70_003], 2), f([70_003], 3)),
    ),
  binary: (b, f) => [
    b.binary('add', f([70_003], 1), f([70_003], 2)),
    b.binary('mul', f([211, 333], 1), { ...f([1, 333], 2), shape: [211, 333], strides: [0, 1] }),
    b.binary('sub', swapLastTwo(f([333, 211], 1)), f([211, 333], 2)),
  ],
  compare: (b, f) => [b.compare('lt', f([70_003], 1), f([70_003], 2))],
  where: (b, f) => [b.where(b.compare('lt', f([70_003], 1), f([70_003], 2)), f([70_003], 3), f([70_003], 4))],
  sum: (b, f) => [
    b.sum(f([70_003], 1), [0]),
    b.sum(f([511, 333], 1), [0]),
    b.sum(f([511, 333], 1), [1]),
    b.sum(f([7, 81, 333], 1), [1]),
  ],
  max: (b, f) => [b.max(f([511, 333], 1), 1), b.max(f([511, 333], 1), 0), b.argmax(f([511, 333], 1), 1)],
  matmul: (b, f) => [
    b.matmul(f([301, 257], 1), f([257, 1031], 2)),
    b.matmul(f([301, 257], 1), swapLastTwo(f([1031, 257], 2))),
    b.matmul(swapLastTwo(f([257, 301], 1)), f([257, 1031], 2)),
    b.matmul(f([37, 3000], 1), f([3000, 41], 2)),
    b.matmul(f([1, 801], 1), swapLastTwo(f([1999, 801], 2))),
    b.matmul(f([3, 801], 1), f([801, 1999], 2)),
    b.matmul(f([13, 65, 66], 1), f([13, 66, 67], 2)),
  ],
  softmax: (b, f) => [
    b.softmax(f([301, 333], 1), { causal: false }),
    b.softmax(f([5, 111, 333], 1), { causal: true }),
    b.softmaxBackward(b.softmax(f([301, 333], 1), { causal: false }), f([301, 333], 2)),
  ],
  crossEntropy: (b, f) => {
    const targets = whole(
      b,
      Array.from({ length: 301 }, (_, i) => (i % 9 === 0 ? -100 : i)),
    );
    const { loss, logSumExp } = b.crossEntropy(f([301, 333], 1), targets, -100);
    return [loss, logSumExp, b.crossEntropyBackward(f([301, 333], 1), targets, -100, logSumExp, f([301], 2))];
  },
  layerNorm: (b, f) => {
    const [x, weight] = [f([301, 333], 1), f([333], 2)];
    const { y, mean, rstd } = b.layerNorm(x, weight, f([333], 3), 1e-5);
    const { dx, dweight, dbias } = b.layerNormBackward(x, weight, mean, rstd, f([301, 333], 4));
    return [y, mean, rstd, dx, dweight, dbias];
  },
  rmsNorm: (b, f) => {
    const [x, weight] = [f([301, 333], 1), f([333], 2)];
    const { y, rstd } = b.rmsNorm(x, weight, 1e-5);
    const { dx, dweight } = b.rmsNormBackward(x, weight, rstd, f([301, 333], 4));
    return [y, rstd, dx, dweight];
  },
  rotary: (b, f) => [b.rotary(f([3, 5, 101, 62], 1), f([3, 101, 31], 2), f([3, 101, 31], 3), false)],
  attention: (b, f) => {
    const [q, k, v] = [f([2, 6, 131, 24], 1), f([2, 3, 150, 24], 2), f([2, 3, 150, 24], 3)];
    const { y, saved } = b.attention(q, k, v, null, { causal: true });
    const { dq, dk, dv } = b.attentionBackward(q, k, v, null, { causal: true }, saved, f([2, 6, 131, 24], 4));
    return [y, dq, dk, dv];
  },
  'attention of one head': (b, f) => {
    const [q, k, v] = [f([1, 1, 700, 64], 1), f([1, 1, 700, 64], 2), f([1, 1, 700, 64], 3)];
    return [b.attention(q, k, v, null, { causal: true }).y];
  },
  swiglu: (b, f) => {
    const { dgate, dup } = b.swigluBackward(f([70_003], 1), f([70_003], 2), f([70_003], 3));
    return [b.swiglu(f([70_003], 1), f([70_003], 2)), dgate, dup];
  },
  adamw: (b, f) => {
    const [p, g, m, v] = [f([70_003], 1), f([70_003], 2), f([70_003], 3), b.fill([70_003], 0.5, 'float32')];
    b.adamw(p, g, m, v, { lr: 1e-2, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, step: 3 });
    return [p, m, v];
  },
};

const backends: WasmBackend[] = [];
function open(relaxed: boolean, threads: number): WasmBackend {
  const backend = createWasmBackend({ relaxed, threads });
  backends.push(backend);
  return backend;
}
afterAll(() => {
  for (const backend of backends) backend.close();
});

/** Shape and a digest of every bit. */
function bitsOf(backend: Backend, view: View): string {
  const data = backend.readSync(view);
  const digest = createHash('sha256').update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return `[${view.shape}] ${digest.digest('hex')}`;
}

describe.each(hasRelaxedSimd() ? [false, true] : [false])('relaxed SIMD: %s', (relaxed) => {
  const alone = open(relaxed, 1);
  const several = [open(relaxed, 2), open(relaxed, 3), open(relaxed, 5)];

  it.each(Object.entries(KERNELS))('%s has the same bits on 1, 2, 3 and 5 threads', (_, kernel) => {
    const results = [alone, ...several].map((backend) => {
      backend.openScope();
      const float = (shape: readonly number[], seed: number) =>
        denseView(backend.upload(numbers(sizeOf(shape), seed, 3)), shape);
      // Twice: threads that were asleep take part in the second round.
      kernel(backend, float);
      const bits = kernel(backend, float).map((view) => bitsOf(backend, view));
      backend.closeScope(new Set());
      return bits;
    });
    const [want, ...got] = results;
    for (const bits of got) expect(bits).toEqual(want);
  });

  it('thousands of jobs in a row, with pauses in which threads fall asleep', () => {
    const [backend] = several;
    const x = denseView(backend.upload(numbers(40_000, 1)), [40_000]);
    const want = bitsOf(backend, alone.unary('exp', denseView(alone.upload(numbers(40_000, 1)), [40_000])));
    for (let i = 0; i < 3000; i++) {
      const y = backend.unary('exp', x);
      if (i % 100 === 0) {
        expect(bitsOf(backend, y)).toEqual(want);
        const until = performance.now() + 2;
        while (performance.now() < until);
      }
      backend.release(y.buffer);
    }
  });
});

describe('the number of threads', () => {
  it('is what was asked for, and told', () => {
    expect(backends.find(({ threads }) => threads === 3)?.describe()).toContain('3 threads');
    expect(createWasmBackend({ threads: 1 }).describe()).toContain('one thread');
  });

  it.each([0, -1, 1.5, Number.NaN])('is not %s', (threads) => {
    expect(() => createWasmBackend({ threads })).toThrow(
      `wasm: threads is ${threads}, expected a whole number from 1 on`,
    );
  });

  it('is one after close, and everything still works', () => {
    const backend = createWasmBackend({ threads: 3 });
    const x = denseView(backend.upload(numbers(90_000, 1)), [90_000]);
    const before = bitsOf(backend, backend.unary('exp', x));
    backend.close();
    backend.close();
    expect(backend.threads).toBe(1);
    expect(bitsOf(backend, backend.unary('exp', x))).toEqual(before);
  });

  it('is one, with the reason, where memory cannot be shared', () => {
    const given = globalThis.SharedArrayBuffer;
    try {
      Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
      expect(threadSupport()).toMatchObject({ supported: false });
      for (const backend of [createWasmBackend(), createWasmBackend({ threads: 2 })]) {
        expect(backend.threads).toBe(1);
        expect(backend.describe()).toContain('one thread: no SharedArrayBuffer');
      }
    } finally {
      globalThis.SharedArrayBuffer = given;
    }
  });

  it('changes nothing when the memory grows while threads hold it', () => {
    const results = [1, 3].map((threads) => {
      const backend = createWasmBackend({ threads });
      const x = denseView(backend.upload(numbers(1 << 20, 1)), [1 << 20]);
      const kept = Array.from({ length: 20 }, () => backend.unary('exp', x)); // 80 MiB, beyond where it began
      const bits = bitsOf(backend, kept[19]);
      backend.close();
      return bits;
    });
    expect(results[1]).toEqual(results[0]);
  });
});

it.each([false, true])('a process with threads ends by itself (minified: %s)', async (minify) => {
  const root = join(import.meta.dirname, '../..');
  const dir = mkdtempSync(join(root, 'node_modules', '.threads-'));
  try {
    const entry = 'virtual-entry';
    const code = `
      import { createWasmBackend } from ${JSON.stringify(join(root, 'src/kernels/wasm/index.ts'))};
      const wasm = createWasmBackend({ threads: 3 });
      const n = 1 << 18;
      const buffer = wasm.upload(new Float32Array(n).fill(1));
      const y = wasm.unary('exp', { buffer, shape: [n], strides: [1], offset: 0 });
      console.log(wasm.threads, wasm.readSync(y).every((value) => Math.abs(value - Math.E) < 1e-6));`;
    const bundle = await rolldown({
      input: entry,
      platform: 'node',
      plugins: [
        {
          name: 'entry',
          resolveId: (id) => (id === entry ? id : null),
          load: (id) => (id === entry ? code : null),
        },
      ],
    });
    const file = join(dir, 'main.mjs');
    await bundle.write({ file, format: 'esm', minify });
    await bundle.close();
    expect(execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 })).toBe('3 true\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
