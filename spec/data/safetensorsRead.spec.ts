import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int32FromInt64, SAFETENSORS_DTYPES } from '../../src/data/safetensors/dtype.ts';
import { SafetensorsError } from '../../src/data/safetensors/error.ts';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import type { ByteSource } from '../../src/data/safetensors/source.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import { writeSafetensors } from '../../src/data/safetensors/write.ts';
import { fileOf, rawFile } from './safetensorsBytes.ts';

const LABEL = 'w.safetensors';

async function failure(action: Promise<unknown>): Promise<SafetensorsError> {
  const error = await action.then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SafetensorsError)) throw new Error(`expected a SafetensorsError, got ${error}`);
  return error;
}

const open = (bytes: Uint8Array) => openSafetensors(bytesSource(bytes, LABEL));

const f32 = (shape: unknown, begin: unknown, end: unknown) => {
  return { dtype: 'F32', shape, data_offsets: [begin, end] };
};

describe('a file that is not good', () => {
  const big = 2 ** 53 - 1;
  const cases: readonly (readonly [what: string, bytes: Uint8Array, message: string, tensor?: string])[] = [
    ['shorter than a length', new Uint8Array(7), 'has 7 bytes, too few for the 8'],
    ['empty', new Uint8Array(), 'has 0 bytes, too few for the 8'],
    [
      'header longer than the file',
      rawFile('{}', undefined, 3n),
      'end at byte 11, but the file has 10 bytes',
    ],
    [
      'header over the cap',
      rawFile('{}', undefined, 100_000_001n),
      '100000001 bytes, more than the 100000000',
    ],
    ['length beyond 2^53', rawFile('{}', undefined, 2n ** 64n - 1n), '18446744073709551615 bytes, more than'],
    ['header of no bytes', rawFile(''), 'the header is empty'],
    ['header that begins with a space', rawFile(' {}'), 'begins with byte 32, not with {'],
    ['header cut in its JSON', rawFile('{"a":'), 'the header is not JSON'],
    ['header that is a list', rawFile('[]'), 'begins with byte 91, not with {'],
    ['header not in UTF-8', rawFile(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), 'is not JSON'],
    ['metadata that is a list', fileOf({ __metadata__: [] }, 0), '__metadata__ is not an object but []'],
    ['metadata that is null', fileOf({ __metadata__: null }, 0), '__metadata__ is not an object but null'],
    ['metadata with a number', fileOf({ __metadata__: { n: 3 } }, 0), '"n" is not a text but 3'],
    ['tensor that is a number', fileOf({ a: 1 }, 0), 'expected { dtype, shape, data_offsets }, got 1', 'a'],
    ['no dtype', fileOf({ a: { shape: [], data_offsets: [0, 4] } }, 4), 'unknown dtype missing', 'a'],
    [
      'dtype nobody knows',
      fileOf({ a: { dtype: 'F7', shape: [], data_offsets: [0, 4] } }, 4),
      'unknown dtype "F7"; known: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL',
      'a',
    ],
    [
      'dtype from a prototype',
      fileOf({ a: { dtype: 'toString', shape: [], data_offsets: [0, 4] } }, 4),
      'unknown dtype "toString"',
      'a',
    ],
    [
      'negative size',
      fileOf({ a: f32([-1, 2], 0, 8) }, 8),
      'shape [-1,2] is not a list of whole numbers',
      'a',
    ],
    ['broken size', fileOf({ a: f32([1.5], 0, 6) }, 6), 'shape [1.5] is not a list of whole numbers', 'a'],
    ['shape that is a number', fileOf({ a: f32(2, 0, 8) }, 8), 'shape 2 is not a list', 'a'],
    ['nested shape', fileOf({ a: f32([[2]], 0, 8) }, 8), 'shape [[2]] is not a list', 'a'],
    [
      'no shape',
      fileOf({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4),
      'shape missing is not a list',
      'a',
    ],
    [
      'elements beyond counting',
      fileOf({ a: f32([big, big], 0, 8) }, 8),
      'more bytes than can be counted',
      'a',
    ],
    ['... though a zero follows', fileOf({ a: f32([big, big, 0], 0, 0) }, 0), 'more bytes than can be', 'a'],
    ['bytes beyond counting', fileOf({ a: f32([big], 0, 8) }, 8), 'more bytes than can be counted', 'a'],
    [
      'broken offset',
      fileOf({ a: f32([1], 0, 4.5) }, 4),
      'data_offsets [0,4.5] are not two whole numbers',
      'a',
    ],
    ['negative offset', fileOf({ a: f32([1], -4, 0) }, 4), 'data_offsets [-4,0] are not two whole', 'a'],
    ['offset as text', fileOf({ a: f32([1], 0, '4') }, 4), 'data_offsets [0,"4"] are not two whole', 'a'],
    [
      'three offsets',
      fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 8),
      '[0,4,8] are not two',
      'a',
    ],
    ['end before begin', fileOf({ a: f32([1], 4, 0) }, 4), 'data_offsets [4,0] begin after their end', 'a'],
    ['data cut off', fileOf({ a: f32([2], 0, 8) }, 7), '[0,8] reach beyond the 7 data bytes', 'a'],
    [
      'fewer bytes than the shape',
      fileOf({ a: f32([2, 3], 0, 20) }, 20),
      'needs 24 bytes, data_offsets [0,20] hold 20',
      'a',
    ],
    [
      'more bytes than the shape',
      fileOf({ a: f32([0], 0, 4) }, 4),
      'needs 0 bytes, data_offsets [0,4] hold 4',
      'a',
    ],
    [
      'tensors that overlap',
      fileOf({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      'bytes 4 … 8 overlap those of tensor "a", which end at 8',
      'b',
    ],
    [
      'two tensors in one place',
      fileOf({ a: f32([2], 0, 8), b: f32([2], 0, 8) }, 8),
      'bytes 0 … 8 overlap those of tensor "a"',
      'b',
    ],
    [
      'a hole',
      fileOf({ b: f32([1], 8, 12), a: f32([1], 0, 4) }, 12),
      'begins at byte 8, but the bytes from 4 to there belong to no tensor',
      'b',
    ],
    ['a hole at the front', fileOf({ a: f32([1], 4, 8) }, 8), 'begins at byte 4, but the bytes from 0', 'a'],
    [
      'bytes left at the end',
      fileOf({ a: f32([1], 0, 4) }, 7),
      'the tensors end at data byte 4, but the file has 7: 3 belong to no tensor',
    ],
    ['data without tensors', fileOf({}, 2), 'end at data byte 0, but the file has 2: 2 belong'],
    [
      'a tensor given twice',
      rawFile(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "\\u0061" : {"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      'the header has the key "a" twice',
    ],
    [
      'a field given twice',
      rawFile('{"a":{"dtype":"U8","shape":[0],"dtype":"U8","data_offsets":[0,0]}}'),
      'the header has the key "dtype" twice under "a"',
    ],
    [
      'a name without UTF-8 form',
      rawFile('{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'half a surrogate pair',
      '\ud800',
    ],
    ['metadata without UTF-8 form', rawFile('{"__metadata__":{"k":"\\udc00"}}'), 'half a surrogate pair'],
    ['nesting without end', rawFile(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`), 'expected {', 'a'],
  ];

  for (const [what, bytes, message, tensor] of cases) {
    it(what, async () => {
      const error = await failure(open(bytes));
      expect(error.message).toContain(message);
      expect(error.message.startsWith(LABEL)).toBe(true);
      expect(error.file).toBe(LABEL);
      expect(error.tensor).toBe(tensor);
    });
  }

  it('is closed at once', async () => {
    let closed = 0;
    const source: ByteSource = { ...bytesSource(rawFile('{'), LABEL), close: async () => void closed++ };
    await failure(openSafetensors(source));
    expect(closed).toBe(1);
  });
});

describe('a file that is good', () => {
  it('may hold nothing', async () => {
    const file = await open(rawFile('{}'));
    expect(file.tensors.size).toBe(0);
    expect(file.metadata.size).toBe(0);
  });

  it('may have spaces after the header, unknown fields, and tensors of no bytes anywhere', async () => {
    const zero = { dtype: 'F32', shape: [0, 5], data_offsets: [8, 8], more: 1 };
    const header = JSON.stringify({ end: zero, a: f32([2], 0, 8), front: f32([3, 0], 0, 0) });
    const file = await open(rawFile(`${header}   `, new Uint8Array(8)));
    expect([...file.tensors.keys()]).toEqual(['front', 'a', 'end']);
    expect((await file.read('end')).data.length).toBe(0);
    expect((await file.read('front')).shape).toEqual([3, 0]);
  });

  it('is read in every dtype, from any alignment', async () => {
    const header = JSON.stringify({
      U8: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
      BOOL: { dtype: 'BOOL', shape: [2], data_offsets: [3, 5] },
      I8: { dtype: 'I8', shape: [2], data_offsets: [5, 7] },
      I16: { dtype: 'I16', shape: [2], data_offsets: [7, 11] },
      I32: { dtype: 'I32', shape: [1], data_offsets: [11, 15] },
      I64: { dtype: 'I64', shape: [2], data_offsets: [15, 31] },
      F16: { dtype: 'F16', shape: [2], data_offsets: [31, 35] },
      BF16: { dtype: 'BF16', shape: [2], data_offsets: [35, 39] },
      F32: { dtype: 'F32', shape: [], data_offsets: [39, 43] },
      F64: { dtype: 'F64', shape: [1, 1], data_offsets: [43, 51] },
    });
    const data = new DataView(new ArrayBuffer(51));
    new Uint8Array(data.buffer).set([200, 0, 7, 1, 0]);
    data.setInt8(5, -128);
    data.setInt8(6, 5);
    data.setInt16(7, -300, true);
    data.setInt16(9, 32767, true);
    data.setInt32(11, -(2 ** 31), true);
    data.setBigInt64(15, -(2n ** 31n), true);
    data.setBigInt64(23, 2n ** 31n - 1n, true);
    data.setUint16(31, 0x0001, true);
    data.setUint16(33, 0xfc00, true);
    data.setUint16(35, 0x4049, true);
    data.setUint16(37, 0x8000, true);
    data.setFloat32(39, 0.1, true);
    data.setFloat64(43, 0.1, true);
    const file = await open(rawFile(header, new Uint8Array(data.buffer)));
    const read = async (name: string) => (await file.read(name)).data;
    expect(await read('U8')).toEqual(Uint8Array.of(200, 0, 7));
    expect(await read('BOOL')).toEqual(Uint8Array.of(1, 0));
    expect(await read('I8')).toEqual(Int32Array.of(-128, 5));
    expect(await read('I16')).toEqual(Int32Array.of(-300, 32767));
    expect(await read('I32')).toEqual(Int32Array.of(-(2 ** 31)));
    expect(await read('I64')).toEqual(Int32Array.of(-(2 ** 31), 2 ** 31 - 1));
    expect((await file.readStored('I64')).data).toEqual(BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n));
    expect(await read('F16')).toEqual(Float32Array.of(2 ** -24, Number.NEGATIVE_INFINITY));
    expect(await read('BF16')).toEqual(Float32Array.of(3.140625, -0));
    expect((await file.readStored('BF16')).data).toEqual(Uint16Array.of(0x4049, 0x8000));
    expect(await read('F32')).toEqual(Float32Array.of(0.1));
    expect(await read('F64')).toEqual(Float64Array.of(0.1));
    expect((await file.read('F32')).shape).toEqual([]);
    expect([...file.tensors.keys()].sort()).toEqual([...SAFETENSORS_DTYPES].sort());
  });

  it('may come in pieces that lie anywhere in memory', async () => {
    const bytes = writeSafetensors([{ name: 'a', dtype: 'F64', shape: [2], data: Float64Array.of(1, 2) }]);
    const inner = bytesSource(bytes, LABEL);
    const unaligned = async (offset: number, length: number) => {
      const memory = new Uint8Array(length + 3);
      memory.set(await inner.read(offset, length), 3);
      return memory.subarray(3);
    };
    const file = await openSafetensors({ ...inner, read: unaligned });
    expect((await file.read('a')).data).toEqual(Float64Array.of(1, 2));
  });

  it('gives memory of its own: changing what was read changes no later read', async () => {
    const bytes = writeSafetensors([{ name: 'a', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]);
    const file = await open(bytes);
    (await file.read('a')).data.fill(9);
    expect((await file.read('a')).data).toEqual(Float32Array.of(1, 2));
  });

  it('reads only the header, then only the bytes of the tensor asked for', async () => {
    const bytes = writeSafetensors([
      { name: 'big', dtype: 'U8', shape: [1000], data: new Uint8Array(1000) },
      { name: 'small', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
    ]);
    const ranges: (readonly [number, number])[] = [];
    const inner = bytesSource(bytes, LABEL);
    const source: ByteSource = {
      ...inner,
      read(offset, length) {
        ranges.push([offset, length]);
        return inner.read(offset, length);
      },
    };
    const file = await openSafetensors(source);
    const dataBegin = bytes.length - 1003;
    expect(ranges).toEqual([
      [0, 8],
      [8, dataBegin - 8],
    ]);
    await file.read('small');
    expect(ranges.slice(2)).toEqual([[dataBegin + 1000, 3]]);
  });
});

describe('a tensor that cannot be read', () => {
  it('is not in the file', async () => {
    const file = await open(fileOf({ a: f32([1], 0, 4) }, 4));
    const error = await failure(file.read('b'));
    expect(error.message).toBe('w.safetensors, tensor "b": is not among the 1 tensors of the file');
  });

  it('has an I64 value beyond int32', async () => {
    for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 63n - 1n]) {
      const file = await open(
        writeSafetensors([{ name: 'ids', dtype: 'I64', shape: [2], data: BigInt64Array.of(7n, value) }]),
      );
      const error = await failure(file.read('ids'));
      expect(error.message).toContain(`tensor "ids": I64 value ${value} at element 1 does not fit in int32`);
      expect((await file.readStored('ids')).data).toEqual(BigInt64Array.of(7n, value));
    }
    expect(int32FromInt64(BigInt64Array.of(-1n), LABEL, 'ids')).toEqual(Int32Array.of(-1));
  });

  it('has a BOOL byte that is neither 0 nor 1', async () => {
    const header = '{"m":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}';
    const file = await open(rawFile(header, Uint8Array.of(1, 0, 2)));
    expect((await failure(file.read('m'))).message).toContain('BOOL byte 2 at element 2 is neither 0 nor 1');
  });

  it('comes from a source that fails or gives too little', async () => {
    const bytes = fileOf({ a: f32([1], 0, 4) }, 4);
    const inner = bytesSource(bytes, LABEL);
    let broken: ByteSource['read'] = inner.read;
    const file = await openSafetensors({ ...inner, read: (offset, length) => broken(offset, length) });
    broken = () => Promise.reject(new Error('the disk is gone'));
    expect((await failure(file.read('a'))).message).toContain('tensor "a": reading 4 bytes at');
    expect((await failure(file.read('a'))).message).toContain('the disk is gone');
    broken = async () => new Uint8Array(3);
    expect((await failure(file.read('a'))).message).toContain('gave 3');
  });
});

describe('damage', () => {
  const valid = writeSafetensors(
    [
      { name: 'a.weight', dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'a.bias', dtype: 'BF16', shape: [3], data: Float32Array.of(1, 2, 3) },
      { name: 'ids', dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, -1n) },
      { name: 'mask', dtype: 'BOOL', shape: [1, 5], data: Uint8Array.of(1, 0, 1, 1, 0) },
    ],
    { format: 'pt', note: 'ü "quoted" \\ {}' },
  );

  /** Opens and reads all of it; whatever goes wrong must be a SafetensorsError. */
  async function readsOrRefuses(bytes: Uint8Array): Promise<boolean> {
    try {
      const file = await open(bytes);
      let total = 0;
      for (const name of file.tensors.keys()) total += (await file.readStored(name)).data.byteLength;
      expect(total).toBeLessThanOrEqual(bytes.length);
      for (const name of file.tensors.keys()) await file.read(name);
      return true;
    } catch (error) {
      if (error instanceof SafetensorsError) return false;
      throw error;
    }
  }

  it('reads the file as it is', async () => {
    expect(await readsOrRefuses(valid)).toBe(true);
  });

  it('refuses the file cut anywhere, and with bytes added', async () => {
    for (let length = 0; length < valid.length; length++) {
      expect(await readsOrRefuses(valid.subarray(0, length))).toBe(false);
    }
    expect(await readsOrRefuses(Uint8Array.of(...valid, 0))).toBe(false);
  });

  it('of random bytes is read or refused', async () => {
    const flip = fc.record({ at: fc.nat(valid.length - 1), bits: fc.integer({ min: 1, max: 255 }) });
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(flip, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (flips, inHeader) => {
          const bytes = valid.slice();
          for (const { at, bits } of flips) bytes[inHeader ? 8 + (at % (valid.length - 55)) : at] ^= bits;
          if (await readsOrRefuses(bytes)) read++;
        },
      ),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(0);
  });

  it('of the JSON is read or refused', async () => {
    const json = new TextDecoder().decode(valid.subarray(8, valid.length - 51));
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '0',
      '-',
      '1e999',
      'null',
      '\\',
      '\\u0000',
      'a',
      '"a":',
    );
    const edit = fc.record({ at: fc.nat(json.length), drop: fc.nat(4), put: piece });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let text = json;
        for (const { at, drop, put } of edits) text = text.slice(0, at) + put + text.slice(at + drop);
        await readsOrRefuses(rawFile(text, valid.slice(valid.length - 51)));
      }),
      { numRuns: 2000 },
    );
  });

  it('of a header made of any JSON is read or refused', async () => {
    const info = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom(...SAFETENSORS_DTYPES), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.oneof(fc.nat(3), fc.maxSafeInteger(), fc.double())), fc.jsonValue()),
        data_offsets: fc.oneof(fc.array(fc.oneof(fc.nat(9), fc.maxSafeInteger())), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(fc.string(), fc.oneof({ weight: 4, arbitrary: info }, fc.jsonValue()));
    await fc.assert(
      fc.asyncProperty(header, fc.nat(9), async (value, bytes) => {
        await readsOrRefuses(fileOf(value, bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
