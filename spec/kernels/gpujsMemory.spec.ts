/** Memory of the gpujs backend; in a file of its own, because finalizers of many backends keep one another waiting. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createGpuJsBackend } from '../../src/kernels/gpujs/gpuJsBackend.ts';
import { denseView, swapLastTwo } from '../../src/kernels/views.ts';

describe('gpujs memory', () => {
  it('counts buffers, keeps nothing but results, and gives back what a scope leaves', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    const x = denseView(backend.upload(new Float32Array(12)), [3, 4]);
    expect(backend.memory()).toEqual({ bytes: 48, buffers: 1 });
    backend.openScope();
    const y = backend.softmax(swapLastTwo(x), { causal: true }); // a copy, maxima and sums on the way
    expect(backend.memory()).toEqual({ bytes: 96, buffers: 2 });
    const z = backend.copy(y);
    backend.closeScope(new Set([z.buffer]));
    expect(backend.memory()).toEqual({ bytes: 96, buffers: 2 });
    expect(() => backend.readSync(y)).toThrow(
      /the memory of this tensor \(float32, 12 elements\) was released/,
    );
    backend.adamw(x, z, backend.copy(z), backend.copy(z), {
      lr: 1,
      beta1: 0.9,
      beta2: 0.9,
      eps: 1e-8,
      weightDecay: 0,
      step: 1,
    });
    expect(backend.memory().buffers).toBe(4);
    backend.release(z.buffer);
    backend.release(z.buffer);
    expect(backend.memory().buffers).toBe(3);
    expect(() => backend.release({ dtype: 'float32', length: 1 })).toThrow(/belongs to another backend/);
    expect(() => backend.closeScope(new Set())).toThrow('closeScope: no scope is open');
    await backend.destroy();
  });

  it('frees a buffer that nothing refers to', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    (() => {
      for (let i = 0; i < 10; i++) backend.upload(new Float32Array(1000));
    })();
    expect(backend.memory().buffers).toBe(10);
    for (let i = 0; i < 200 && backend.memory().buffers > 0; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(backend.memory()).toEqual({ bytes: 0, buffers: 0 });
    await backend.destroy();
  });

  it('refuses what float32 and its threads cannot count', async () => {
    const backend = await createGpuJsBackend({ mode: 'webasm' });
    const none = denseView(backend.upload(new Int32Array(0)), [0]);
    const x = denseView(backend.upload(new Float32Array(1)), [1]);
    const many = { ...x, shape: [2 ** 24 + 1, 1], strides: [0, 0] };
    expect(() => backend.gatherRows(many, none)).toThrow(
      'gpujs: gatherRows: 16777217 rows, expected at most 16777216, the integers of float32',
    );
    expect(() => backend.copy({ ...x, shape: [2, 2 ** 21], strides: [0, 1] })).toThrow(
      /gpujs: copy: rows of 2097152 elements, expected fewer than 2097152/,
    );
    expect(() => backend.copy({ ...x, shape: [2 ** 25, 2], strides: [0, 1] })).toThrow(
      /gpujs: copy: 33554432 rows, expected at most 16777216/,
    );
    expect(() => backend.copy({ ...x, shape: [2 ** 16, 2 ** 16], strides: [0, 0] })).toThrow(
      /is 4294967296 elements, expected at most 2147483647/,
    );
    await backend.destroy();
  });
});
