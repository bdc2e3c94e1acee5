import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denseView } from '../../src/kernels/views.ts';
import { Allocator, type Block } from '../../src/kernels/wasm/allocator.ts';
import { WasmHeap } from '../../src/kernels/wasm/heap.ts';
import { createWasmBackend, isWasmSupported, wasmSupport } from '../../src/kernels/wasm/index.ts';

describe('Allocator', () => {
  it('never hands out a unit twice, and joins everything again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 400 }), keep: fc.nat(7) })),
        (requests) => {
          const allocator = new Allocator(3);
          allocator.grow(1000);
          const live: Block[] = [];
          for (const { size, keep } of requests) {
            let block = allocator.allocate(size);
            if (block === null) {
              allocator.grow(size - allocator.freeAtEnd);
              block = allocator.allocate(size);
            }
            expect(block?.size).toBe(size);
            if (block) live.push(block);
            if (live.length > keep) allocator.free(live.splice(size % live.length, 1)[0]);
            const sorted = [...live].sort((a, b) => a.start - b.start);
            expect(
              sorted.every((b, i) => b.start >= (i === 0 ? 3 : sorted[i - 1].start + sorted[i - 1].size)),
            ).toBe(true);
          }
          for (const block of live) allocator.free(block);
          expect(allocator.freeAtEnd).toBe(allocator.end - 3);
        },
      ),
    );
  });

  it('finds the one block that just fits', () => {
    const allocator = new Allocator(0);
    allocator.grow(1001);
    expect(allocator.allocate(1001)?.size).toBe(1001);
    expect(allocator.allocate(1)).toBeNull();
  });
});

describe('WasmHeap', () => {
  it('keeps contents and addresses when the memory grows', () => {
    const heap = new WasmHeap(1000);
    const small = heap.allocate('float32', 5, true);
    small.data.set([1, 2, 3, 4, 5]);
    const { pointer } = small;
    const stale = small.data;
    const large = heap.allocate('float64', 8 << 20, true);
    expect(stale.length).toBe(0);
    expect([...small.data]).toEqual([1, 2, 3, 4, 5]);
    expect(small.pointer).toBe(pointer);
    expect(pointer % 64).toBe(0);
    expect(pointer).toBeGreaterThanOrEqual(1000);
    expect(large.data.length).toBe(8 << 20);
  });

  it('zeroes memory that was used before', () => {
    const heap = new WasmHeap(0);
    const first = heap.allocate('int32', 100, false);
    const { pointer } = first;
    first.data.fill(7);
    heap.release(first);
    const second = heap.allocate('int32', 100, true);
    expect(second.pointer).toBe(pointer);
    expect(second.data.every((x) => x === 0)).toBe(true);
  });

  it('counts, releases once, and refuses a released buffer', () => {
    const heap = new WasmHeap(0);
    const a = heap.allocate('float32', 10, false);
    const b = heap.allocate('bool', 0, false);
    expect(heap.memory()).toEqual({ bytes: 40, buffers: 2 });
    heap.release(a);
    heap.release(a);
    heap.release(b);
    expect(heap.memory()).toEqual({ bytes: 0, buffers: 0 });
    expect(() => a.data).toThrow(
      'the memory of this tensor (float32, 10 elements) was released: dispose() gave it back',
    );
  });

  it('scopes release what was made inside and pass on what is kept', () => {
    const heap = new WasmHeap(0);
    heap.openScope();
    const early = heap.allocate('float32', 1, false);
    heap.openScope();
    const kept = heap.allocate('float32', 2, false);
    heap.release(heap.allocate('float32', 3, false));
    heap.allocate('float32', 4, false);
    heap.closeScope(new Set([kept, early]));
    expect(heap.memory()).toEqual({ bytes: 12, buffers: 2 });
    heap.closeScope(new Set([early]));
    expect(heap.memory()).toEqual({ bytes: 4, buffers: 1 });
    expect(() => heap.closeScope(new Set())).toThrow('without a matching openScope');
  });

  it('says what was asked and what is in use when memory ends', () => {
    const heap = new WasmHeap(0, 64);
    heap.allocate('float32', 1 << 18, false);
    expect(() => heap.allocate('float32', 1 << 20, false)).toThrow(
      /no memory for a float32 buffer of 1048576 elements \(4\.0 MiB\): 1\.0 MiB in 1 buffers are in use.*ends at 4\.0 MiB/,
    );
    expect(heap.memory()).toEqual({ bytes: 1 << 20, buffers: 1 });
  });
});

describe('createWasmBackend', () => {
  it('says whether it can run and how it computes', () => {
    expect(isWasmSupported()).toBe(true);
    expect(wasmSupport().reason).toContain('SIMD');
    expect(createWasmBackend({ relaxed: false }).describe()).toContain(
      'plain SIMD without fused multiply-add',
    );
  });

  it.each([-1, 1.5, Number.NaN, 70_000])('refuses %s as maxPages', (maxPages) => {
    expect(() => createWasmBackend({ maxPages })).toThrow(
      `wasm: maxPages is ${maxPages}, expected a whole number from 64 to 65536`,
    );
  });

  it('leaves no buffers behind', () => {
    const wasm = createWasmBackend();
    const before = wasm.memory();
    for (let step = 0; step < 3; step++) {
      wasm.openScope();
      const x = denseView(wasm.upload(new Float32Array(60).fill(0.5)), [3, 4, 5]);
      wasm.matmul(x, { ...x, shape: [3, 5, 4], strides: [20, 1, 5] });
      wasm.closeScope(new Set());
      expect(wasm.memory()).toEqual(before);
    }
  });

  it("names a buffer of another backend's", () => {
    const [one, other] = [createWasmBackend(), createWasmBackend()];
    const x = denseView(one.upload(new Float32Array(4)), [2, 2]);
    expect(() => other.matmul(x, x)).toThrow(
      'wasm: got a float32 buffer of 4 elements that another backend made',
    );
  });
});
