/** Memory of the cpu backend: counting, release, scopes, and a backend made of its kernels over a heap. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { cpu, createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { createJsHeap } from '../../src/kernels/cpu/jsHeap.ts';
import { denseView } from '../../src/kernels/views.ts';

describe('the heap of typed arrays', () => {
  it('counts bytes and buffers of every dtype from allocate to release', () => {
    const heap = createJsHeap();
    const made = (['float32', 'float64', 'int32', 'bool'] as const).map((dtype) =>
      heap.allocate(dtype, 3, true),
    );
    expect(heap.memory()).toEqual({ bytes: 12 + 24 + 12 + 3, buffers: 4 });
    expect(made.map((b) => [b.dtype, b.length, b.data.constructor.name])).toEqual([
      ['float32', 3, 'Float32Array'],
      ['float64', 3, 'Float64Array'],
      ['int32', 3, 'Int32Array'],
      ['bool', 3, 'Uint8Array'],
    ]);
    heap.release(made[1]);
    heap.release(made[1]);
    expect(heap.memory()).toEqual({ bytes: 27, buffers: 3 });
  });

  it('says so when released memory is read', () => {
    const heap = createJsHeap();
    const buffer = heap.allocate('float32', 5, true);
    heap.release(buffer);
    expect(() => buffer.data).toThrow('the memory of this tensor (float32, 5 elements) was released');
    expect(() => heap.release({ dtype: 'float32', length: 5 })).toThrow('belongs to another backend');
  });

  it('releases at the end of a scope what was made in it, and hands what is kept to the scope around', () => {
    const heap = createJsHeap();
    const before = heap.allocate('float32', 1, true);
    heap.openScope();
    heap.openScope();
    const kept = heap.allocate('float32', 2, true);
    const lost = heap.allocate('float32', 4, true);
    heap.release(heap.allocate('float32', 8, true));
    heap.closeScope(new Set([kept]));
    expect(() => lost.data).toThrow('released');
    expect(heap.memory()).toEqual({ bytes: 12, buffers: 2 });
    expect(kept.data.length).toBe(2);
    heap.closeScope(new Set());
    expect(() => kept.data).toThrow('released');
    expect(before.data.length).toBe(1);
    expect(heap.memory()).toEqual({ bytes: 4, buffers: 1 });
    expect(() => heap.closeScope(new Set())).toThrow('no scope is open');
  });
});

describe('garbage collection', () => {
  it('takes a forgotten buffer off the count, and a released one not twice', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const heap = createJsHeap();
    const alive = heap.allocate('float32', 2, true);
    for (let i = 0; i < 10; i++) {
      heap.allocate('float64', 100, true);
      heap.release(heap.allocate('float64', 100, true));
    }
    expect(heap.memory().buffers).toBe(11);
    // Finalizers run some time after the collection.
    for (let i = 0; i < 100 && heap.memory().buffers !== 1; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heap.memory()).toEqual({ bytes: alive.data.byteLength, buffers: 1 });
  });
});

describe('createCpuBackend', () => {
  it('makes kernels over another heap, of which single ones can be replaced', () => {
    const heap = createJsHeap();
    const base = createCpuBackend({ name: 'mine', heap, describe: () => 'mine: for this spec' });
    const replaced: string[] = [];
    const mine = {
      ...base,
      matmul: (...operands: Parameters<typeof base.matmul>) => {
        replaced.push('matmul');
        return base.matmul(...operands);
      },
    };
    const x = denseView(mine.upload(new Float32Array([1, 2, 3, 4])), [2, 2]);
    expect([...mine.readSync(mine.binary('add', mine.matmul(x, x), x))]).toEqual([8, 12, 18, 26]);
    expect(replaced).toEqual(['matmul']);
    expect([mine.name, mine.describe()]).toEqual(['mine', 'mine: for this spec']);
    expect(heap.memory()).toEqual({ bytes: 48, buffers: 3 });
    expect(mine.memory()).toEqual(heap.memory());
  });

  it('copies on upload and on read', async () => {
    const host = new Float64Array([1, 2]);
    const view = denseView(cpu.upload(host), [2]);
    host[0] = 9;
    const read = await cpu.read(view);
    expect(read).toEqual(new Float64Array([1, 2]));
    read[1] = 9;
    expect(cpu.readSync(view)).toEqual(new Float64Array([1, 2]));
    cpu.release(view.buffer);
    await expect(cpu.read(view)).rejects.toThrow('released');
  });

  it('keeps no temporary buffers', () => {
    const own = createCpuBackend();
    const x = denseView(own.upload(new Float32Array(16).fill(1)), [4, 4]);
    const transposed = { ...x, strides: [1, 4] };
    const row = { ...x, shape: [4], strides: [1] };
    const { buffers } = own.memory();
    own.matmul(transposed, transposed);
    own.layerNorm(transposed, row, row, 1e-5);
    own.softmax(transposed, { causal: true });
    own.assign(x, transposed);
    expect(own.memory().buffers - buffers).toBe(1 + 3 + 1);
  });
});
