/** readTensors: files and folders as tensors by name, dtypes, refusals, and what a module loads from it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SafetensorsError } from '../../src/data/safetensors/error.ts';
import { writeCheckpointFolder, writeSafetensorsFile } from '../../src/data/safetensors/node.ts';
import { type ReadTensorsOptions, readTensors } from '../../src/data/safetensors/readTensors.ts';
import type { TensorEntry } from '../../src/data/safetensors/write.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { Linear } from '../../src/nn/index.ts';
import { setBackend } from '../../src/tensor/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tensors-'));
});
afterEach(async () => {
  await setBackend('cpu');
  await rm(folder, { recursive: true });
});

const ENTRIES: readonly TensorEntry[] = [
  { name: 'f64', dtype: 'F64', shape: [1], data: Float64Array.of(0.1) },
  { name: 'f32', dtype: 'F32', shape: [2, 1], data: Float32Array.of(0.5, -2) },
  { name: 'f16', dtype: 'F16', shape: [1], data: Float32Array.of(1.5) },
  { name: 'bf16', dtype: 'BF16', shape: [1], data: Float32Array.of(3) },
  { name: 'i64', dtype: 'I64', shape: [], data: BigInt64Array.of(-7n) },
  { name: 'i32', dtype: 'I32', shape: [1], data: Int32Array.of(2 ** 31 - 1) },
  { name: 'i8', dtype: 'I8', shape: [1], data: Int32Array.of(-128) },
  { name: 'u8', dtype: 'U8', shape: [1], data: Uint8Array.of(255) },
  { name: 'bool', dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
  { name: 'empty', dtype: 'F32', shape: [0, 4], data: new Float32Array() },
];

async function fileOf(entries: readonly TensorEntry[]): Promise<string> {
  const path = join(folder, 'weights.safetensors');
  await writeSafetensorsFile(path, entries);
  return path;
}

/** name → [dtype, shape, numbers] */
async function contents(path: string, options?: ReadTensorsOptions) {
  const tensors = await readTensors(path, options);
  return Object.fromEntries(Array.from(tensors, ([name, t]) => [name, [t.dtype, t.shape, [...t.data]]]));
}

async function messageOf(path: string, options?: ReadTensorsOptions): Promise<string> {
  const error = await readTensors(path, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SafetensorsError);
  return (error as SafetensorsError).message;
}

const HELD = {
  f64: ['float64', [1], [0.1]],
  f32: ['float32', [2, 1], [0.5, -2]],
  f16: ['float32', [1], [1.5]],
  bf16: ['float32', [1], [3]],
  i64: ['int32', [], [-7]],
  i32: ['int32', [1], [2 ** 31 - 1]],
  i8: ['int32', [1], [-128]],
  u8: ['int32', [1], [255]],
  bool: ['bool', [3], [1, 0, 1]],
  empty: ['float32', [0, 4], []],
};

describe('readTensors', () => {
  it('holds every stored dtype in one that has its numbers', async () => {
    expect(await contents(await fileOf(ENTRIES))).toEqual(HELD);
  });

  it('reads a folder of one file and a folder of shards alike', async () => {
    for (const [name, maxShardBytes] of [
      ['one', 1e6],
      ['shards', 8],
    ] as const) {
      await writeCheckpointFolder(join(folder, name), ENTRIES, { maxShardBytes });
      expect(await contents(join(folder, name))).toEqual(HELD);
    }
  });

  it('reads the names that are asked for', async () => {
    const path = await fileOf(ENTRIES);
    expect(Object.keys(await contents(path, { names: (name) => name.startsWith('i') })).sort()).toEqual([
      'i32',
      'i64',
      'i8',
    ]);
    expect((await readTensors(path, { names: () => false })).size).toBe(0);
  });

  it('casts floating-point tensors where a dtype is asked for, and no others', async () => {
    const held = await contents(await fileOf(ENTRIES), { dtype: 'float32' });
    expect(held).toEqual({ ...HELD, f64: ['float32', [1], [Math.fround(0.1)]] });
    const wide = await contents(join(folder, 'weights.safetensors'), { dtype: 'float64' });
    const dtypes = Object.fromEntries(Object.entries(wide).map(([name, [dtype]]) => [name, dtype]));
    const floats = { f64: 'float64', f32: 'float64', f16: 'float64', bf16: 'float64', empty: 'float64' };
    expect(dtypes).toEqual({ ...floats, i64: 'int32', i32: 'int32', i8: 'int32', u8: 'int32', bool: 'bool' });
  });
});

describe('readTensors refuses', () => {
  it('an I64 that no int32 holds, by the name of its tensor, and keeps nothing of what it read', async () => {
    const backend = await setBackend(createCpuBackend());
    const path = await fileOf([
      ...ENTRIES,
      { name: 'ids', dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, 2n ** 31n) },
    ]);
    expect(await messageOf(path)).toBe(
      `${path}, tensor "ids": I64 value 2147483648 at element 1 does not fit in int32 (−2147483648 … 2147483647)`,
    );
    expect(backend.memory()).toEqual({ bytes: 0, buffers: 0 });
    expect((await readTensors(path, { names: (name) => name !== 'ids' })).size).toBe(ENTRIES.length);
  });

  it('float64 where the backend has none, and says how to have it rounded', async () => {
    await setBackend({ ...createCpuBackend(), name: 'narrow', dtypes: ['float32', 'int32', 'bool'] });
    const path = await fileOf(ENTRIES);
    expect(await messageOf(path)).toBe(
      `${path}, tensor "f64": F64 would become float64, the narrow backend computes in float32, int32, bool; dtype: 'float32' rounds it`,
    );
    expect((await contents(path, { dtype: 'float32' })).f64).toEqual(['float32', [1], [Math.fround(0.1)]]);
  });

  it('what is not there, and a folder without weights', async () => {
    expect(await messageOf(join(folder, 'none.safetensors'))).toContain(
      'none.safetensors: cannot be opened: there is no such file or folder',
    );
    await mkdir(join(folder, 'bare'));
    expect(await messageOf(join(folder, 'bare'))).toContain('no weights found');
  });
});

it('a module loads what was read', async () => {
  const path = await fileOf([
    { name: 'weight', dtype: 'BF16', shape: [1, 2], data: Float32Array.of(0.5, 2) },
    { name: 'bias', dtype: 'F64', shape: [1], data: Float64Array.of(0.25) },
    { name: 'num_batches_tracked', dtype: 'I64', shape: [], data: BigInt64Array.of(9n) },
  ]);
  const linear = new Linear({ inFeatures: 2, outFeatures: 1, bias: true });
  const report = linear.loadStateDict(await readTensors(path), { strict: false });
  expect(report).toEqual({ missing: [], unexpected: ['num_batches_tracked'], misshapen: [] });
  expect([...linear.weight.data, ...(linear.bias?.data ?? [])]).toEqual([0.5, 2, 0.25]);
});
