import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SafetensorsDType, StoredArray } from '../../src/data/safetensors/dtype.ts';
import { SAFETENSORS_DTYPES } from '../../src/data/safetensors/dtype.ts';
import { SafetensorsError } from '../../src/data/safetensors/error.ts';
import type { SafetensorsFile } from '../../src/data/safetensors/read.ts';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import type { TensorEntry } from '../../src/data/safetensors/write.ts';
import { writeSafetensors } from '../../src/data/safetensors/write.ts';

const DATA: { readonly [D in SafetensorsDType]: (length: number) => fc.Arbitrary<StoredArray> } = {
  F64: (n) => fc.float64Array({ minLength: n, maxLength: n }),
  F32: (n) => fc.float32Array({ minLength: n, maxLength: n }),
  F16: (n) => fc.uint16Array({ minLength: n, maxLength: n }),
  BF16: (n) => fc.uint16Array({ minLength: n, maxLength: n }),
  I64: (n) => fc.bigInt64Array({ minLength: n, maxLength: n, min: -(2n ** 31n), max: 2n ** 31n - 1n }),
  I32: (n) => fc.int32Array({ minLength: n, maxLength: n }),
  I16: (n) => fc.int16Array({ minLength: n, maxLength: n }),
  I8: (n) => fc.int8Array({ minLength: n, maxLength: n }),
  U8: (n) => fc.uint8Array({ minLength: n, maxLength: n }),
  BOOL: (n) => fc.uint8Array({ minLength: n, maxLength: n, max: 1 }),
};

const aName = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.nat(20).map(String), // names that look like numbers, which objects would reorder
  fc.constantFrom('__proto__', 'constructor', '', 'model.layers.0.weight', '"', '\\', '\n'),
);

const anEntry: fc.Arbitrary<TensorEntry> = fc
  .record({
    name: aName.filter((name) => name !== '__metadata__'),
    dtype: fc.constantFrom(...SAFETENSORS_DTYPES),
    shape: fc.array(fc.nat(3), { maxLength: 4 }),
  })
  .chain((spec) =>
    DATA[spec.dtype](spec.shape.reduce((a, b) => a * b, 1)).map((data) => ({ ...spec, data })),
  );

const entries = fc.uniqueArray(anEntry, { selector: ({ name }) => name, maxLength: 8 });
const metadata = fc.array(fc.tuple(aName, fc.string({ unit: 'binary' })), { maxLength: 4 });

const open = (bytes: Uint8Array) => openSafetensors(bytesSource(bytes));

async function entriesOf(file: SafetensorsFile, form: 'read' | 'readStored'): Promise<TensorEntry[]> {
  const all: TensorEntry[] = [];
  for (const name of file.tensors.keys()) all.push({ name, ...(await file[form](name)) });
  return all;
}

describe('save → load → save', () => {
  it.each(['read', 'readStored'] as const)('gives the same bytes (%s)', async (form) => {
    await fc.assert(
      fc.asyncProperty(entries, metadata, async (given, texts) => {
        const bytes = writeSafetensors(given, new Map(texts));
        const file = await open(bytes);
        expect(new Map(file.metadata)).toEqual(new Map(texts));
        const loaded = await entriesOf(file, form);
        expect(writeSafetensors(loaded, file.metadata)).toEqual(bytes);
        if (form === 'read') return;
        const byName = (list: readonly TensorEntry[]) => new Map(list.map((entry) => [entry.name, entry]));
        expect(byName(loaded)).toEqual(byName(given));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the bytes', () => {
  it('are those of the format, to the last space', () => {
    const bytes = writeSafetensors(
      [
        { name: 'b', dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) },
        { name: '1', dtype: 'F32', shape: [1], data: Float32Array.of(1) },
        { name: '0', dtype: 'F32', shape: [], data: Float32Array.of(-2) },
      ],
      { z: 'last', a: 'first' },
    );
    const json =
      '{"__metadata__":{"a":"first","z":"last"},' +
      '"1":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
      '"0":{"dtype":"F32","shape":[],"data_offsets":[4,8]},' +
      '"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}';
    const padded = Math.ceil(json.length / 8) * 8;
    expect(padded).toBeGreaterThan(json.length);
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded))).toBe(json.padEnd(padded, ' '));
    expect([...bytes.subarray(8 + padded)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192, 7, 8, 9]);
  });

  it('put every tensor at a multiple of its element size', async () => {
    const data = { U8: Uint8Array.of(1, 0, 1), I64: BigInt64Array.of(5n), F16: Uint16Array.of(1) };
    const bytes = writeSafetensors([
      { name: 'u8', dtype: 'U8', shape: [3], data: data.U8 },
      { name: 'f16', dtype: 'F16', shape: [1], data: data.F16 },
      { name: 'i64', dtype: 'I64', shape: [1], data: data.I64 },
    ]);
    const { tensors } = await open(bytes);
    expect([...tensors.values()].map(({ name, begin }) => [name, begin])).toEqual([
      ['i64', 0],
      ['f16', 8],
      ['u8', 10],
    ]);
  });

  it('of data that is part of a larger array are its own only', async () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const file = await open(writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data }]));
    expect((await file.read('a')).data).toEqual(Float32Array.of(2, 3));
  });
});

it('rounds a Float32Array to BF16 and F16 and takes an Int32Array as I64, I16, I8', async () => {
  const file = await open(
    writeSafetensors([
      { name: 'bf16', dtype: 'BF16', shape: [3], data: Float32Array.of(1.00390625, 1.01171875, Number.NaN) },
      { name: 'f16', dtype: 'F16', shape: [2], data: Float32Array.of(65520, 0.1) },
      { name: 'i64', dtype: 'I64', shape: [1], data: Int32Array.of(-5) },
      { name: 'i16', dtype: 'I16', shape: [1], data: Int32Array.of(-32768) },
      { name: 'i8', dtype: 'I8', shape: [1], data: Int32Array.of(127) },
    ]),
  );
  expect((await file.read('bf16')).data).toEqual(Float32Array.of(1, 1.015625, Number.NaN));
  expect((await file.read('f16')).data).toEqual(Float32Array.of(Number.POSITIVE_INFINITY, 0.0999755859375));
  expect((await file.readStored('i64')).data).toEqual(BigInt64Array.of(-5n));
  expect((await file.readStored('i16')).data).toEqual(Int16Array.of(-32768));
  expect((await file.readStored('i8')).data).toEqual(Int8Array.of(127));
});

describe('refuses', () => {
  const good: TensorEntry = { name: 'a', dtype: 'F32', shape: [2], data: new Float32Array(2) };
  const cases: readonly (readonly [what: string, entries: readonly TensorEntry[], message: string])[] = [
    ['a name twice', [good, { ...good }], 'tensor "a": is given twice'],
    ['the name of the metadata', [{ ...good, name: '__metadata__' }], 'cannot be named __metadata__'],
    ['a name without UTF-8 form', [{ ...good, name: '\udfff' }], 'half a surrogate pair'],
    ['fewer elements than the shape', [{ ...good, shape: [3] }], 'shape [3] has 3 elements, data has 2'],
    ['more elements than a scalar', [{ ...good, shape: [] }], 'shape [] has 1 elements, data has 2'],
    ['a negative size', [{ ...good, shape: [-2] }], 'shape [-2] is not a list of whole numbers'],
    ['a size that is no number', [{ ...good, shape: [Number.NaN] }], 'shape [NaN] is not a list'],
    [
      'float64 as F32',
      [{ ...good, data: new Float64Array(2) }],
      'data is a Float64Array, but F32 is written from a Float32Array',
    ],
    [
      'integers as BF16',
      [{ ...good, dtype: 'BF16', data: new Int32Array(2) }],
      'a Float32Array, or a Uint16Array of bit patterns',
    ],
    ['float32 as I64', [{ ...good, dtype: 'I64' }], 'I64 is written from a BigInt64Array or an Int32Array'],
    [
      '300 as I8',
      [{ ...good, dtype: 'I8', data: Int32Array.of(1, 300) }],
      'value 300 at element 1 does not fit in I8',
    ],
    ['a bool of 2', [{ ...good, dtype: 'BOOL', data: Uint8Array.of(0, 2) }], 'BOOL byte 2 at element 1'],
  ];
  it.each(cases)('%s', (_, given, message) => {
    expect(() => writeSafetensors(given)).toThrow(SafetensorsError);
    expect(() => writeSafetensors(given)).toThrow(message);
  });

  it('a dtype nobody knows, metadata that is not text', () => {
    const entry = { ...good, dtype: 'F8' as SafetensorsDType };
    expect(() => writeSafetensors([entry])).toThrow('tensor "a": unknown dtype F8; known: F64, F32');
    const texts = { step: 3 } as unknown as Record<string, string>;
    expect(() => writeSafetensors([good], texts)).toThrow('the metadata of "step" is not a text but 3');
  });
});
