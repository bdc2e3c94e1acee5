import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/data/safetensors/checkpoint.ts';
import { SafetensorsError } from '../../src/data/safetensors/error.ts';
import type { FileEntry } from '../../src/data/safetensors/node.ts';
import {
  fileSource,
  openCheckpointFolder,
  writeCheckpointFolder,
  writeSafetensorsFile,
} from '../../src/data/safetensors/node.ts';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import type { ByteSource } from '../../src/data/safetensors/source.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import type { TensorEntry } from '../../src/data/safetensors/write.ts';
import { writeSafetensors } from '../../src/data/safetensors/write.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterEach(() => rm(folder, { recursive: true }));

function floats(name: string, ...values: number[]): TensorEntry {
  return { name, dtype: 'F32', shape: [values.length], data: Float32Array.from(values) };
}

const INDEX = 'model.safetensors.index.json';
const put = (name: string, content: Uint8Array | string) => writeFile(join(folder, name), content);
const putIndex = (weightMap: unknown) => put(INDEX, JSON.stringify({ metadata: {}, weight_map: weightMap }));

async function messageOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SafetensorsError)) throw new Error(`expected a SafetensorsError, got ${error}`);
  return error.message;
}
const openingFails = () => messageOf(openCheckpointFolder(folder));

describe('finding the weights', () => {
  it('says what was looked for when there are none', async () => {
    await put('pytorch_model.bin', '');
    expect(await openingFails()).toBe(
      `${folder}: no weights found: looked for ${INDEX}, model.safetensors and a single *.safetensors file`,
    );
    expect(await messageOf(openCheckpointFolder(join(folder, 'none')))).toContain(
      'the folder cannot be listed: there is no such file or folder',
    );
  });

  it('takes the only safetensors file, and asks when there are more', async () => {
    await put('b.safetensors', writeSafetensors([floats('b', 1)]));
    const checkpoint = await openCheckpointFolder(folder);
    expect([...checkpoint.tensors.values()]).toMatchObject([{ name: 'b', file: 'b.safetensors' }]);
    await checkpoint.close();
    await put('a.safetensors', writeSafetensors([floats('a', 1)]));
    expect(await openingFails()).toContain('found 2: a.safetensors, b.safetensors');
  });

  it('takes model.safetensors before others, and the index before that', async () => {
    await put('a.safetensors', writeSafetensors([floats('a', 1)]));
    await put('model.safetensors', writeSafetensors([floats('m', 2)], { format: 'pt' }));
    const single = await openCheckpointFolder(folder);
    expect([...single.tensors.keys()]).toEqual(['m']);
    expect((await single.read('m')).data).toEqual(Float32Array.of(2));
    expect(single.metadata.get('format')).toBe('pt');
    await single.close();
    await putIndex({ a: 'a.safetensors' });
    const indexed = await openCheckpointFolder(folder);
    expect([...indexed.tensors.keys()]).toEqual(['a']);
    await indexed.close();
  });
});

describe('shards', () => {
  it('are read as one, from any folder-like thing, without reading weights to open', async () => {
    const files = new Map([
      [
        INDEX,
        new TextEncoder().encode(
          '{"weight_map":{"2":"y.safetensors","x":"x.safetensors","1":"y.safetensors"}}',
        ),
      ],
      ['x.safetensors', writeSafetensors([floats('x', 1, 2)], { format: 'pt', part: 'x' })],
      ['y.safetensors', writeSafetensors([floats('2', 3), floats('1', 4)], { format: 'pt', part: 'y' })],
    ]);
    let readTo = 0;
    let open = 0;
    const source = (name: string): ByteSource => {
      const inner = bytesSource(files.get(name) ?? new Uint8Array(), name);
      open++;
      return {
        ...inner,
        read(offset, length) {
          if (name !== INDEX) readTo = Math.max(readTo, offset + length - inner.size);
          return inner.read(offset, length);
        },
        close: async () => void open--,
      };
    };
    readTo = Number.NEGATIVE_INFINITY;
    const checkpoint = await openCheckpoint({
      label: 'memory',
      list: async () => [...files.keys()],
      open: async (name) => source(name),
    });
    expect(readTo).toBe(-8); // both files end in 8 bytes of data
    expect([...checkpoint.tensors.keys()]).toEqual(['x', '2', '1']);
    expect(checkpoint.files).toMatchObject([
      { name: 'x.safetensors', size: files.get('x.safetensors')?.length, tensorCount: 1 },
      { name: 'y.safetensors', size: files.get('y.safetensors')?.length, tensorCount: 2 },
    ]);
    expect(Object.fromEntries(checkpoint.metadata)).toEqual({ format: 'pt', part: 'x' });
    expect(checkpoint.files[1].metadata.get('part')).toBe('y');
    expect((await checkpoint.read('1')).data).toEqual(Float32Array.of(4));
    expect((await checkpoint.readStored('x')).data).toEqual(Float32Array.of(1, 2));
    expect(await messageOf(checkpoint.read('z'))).toBe(
      'memory, tensor "z": is not among the 3 tensors of the checkpoint',
    );
    expect(open).toBe(2);
    await checkpoint.close();
    expect(open).toBe(0);
  });

  it('that are missing are all named', async () => {
    await put('a.safetensors', writeSafetensors([floats('a', 1)]));
    await putIndex({ a: 'a.safetensors', b: 'b.safetensors', c: 'c.safetensors', c2: 'c.safetensors' });
    expect(await openingFails()).toContain(
      `2 of the 3 files named by ${INDEX} are missing: b.safetensors, c.safetensors`,
    );
  });

  it('that the index does not agree with: every difference is named', async () => {
    await put('a.safetensors', writeSafetensors([floats('a', 1), floats('extra', 1), floats('twice', 1)]));
    await put('b.safetensors', writeSafetensors([floats('b', 1), floats('twice', 1)]));
    await putIndex({ a: 'a.safetensors', b: 'b.safetensors', gone: 'b.safetensors', twice: 'b.safetensors' });
    const message = await openingFails();
    expect(message).toContain('do not agree on 3 entries');
    expect(message).toContain('gone is not in b.safetensors, where the index has it');
    expect(message).toContain('extra is in a.safetensors but not in the index');
    expect(message).toContain('twice is in a.safetensors, but the index has it in b.safetensors');
  });

  it.each([
    '../a.safetensors',
    '/etc/a.safetensors',
    'x\\a.safetensors',
    'C:a.safetensors',
    '..',
    '',
    'a.bin',
    7,
    null,
  ])('cannot be named %j', async (name) => {
    await putIndex({ w: name });
    const message = await openingFails();
    expect(message).toContain(`tensor "w": weight_map gives ${JSON.stringify(name)}, not the plain name`);
  });

  it('need an index that is one', async () => {
    await put(INDEX, '{"weight_map":');
    expect(await openingFails()).toContain('the index is not JSON');
    await put(INDEX, '[]');
    expect(await openingFails()).toContain('the index is not a JSON object but []');
    await put(INDEX, '{"weight_map":[]}');
    expect(await openingFails()).toContain('the index has no object weight_map');
    await put(INDEX, '{"weight_map":{"a":"a.safetensors","a":"b.safetensors"}}');
    expect(await openingFails()).toContain('the index has the key "a" twice under "weight_map"');
  });

  it('that are damaged are named', async () => {
    await put('a.safetensors', writeSafetensors([floats('a', 1)]).subarray(0, -1));
    await putIndex({ a: 'a.safetensors' });
    expect(await openingFails()).toContain(
      `${join(folder, 'a.safetensors')}, tensor "a": data_offsets [0,4] reach beyond`,
    );
  });
});

describe('a file on disk', () => {
  it('has the bytes of the file in memory', async () => {
    const entries = [floats('a', 1, 2, 3), floats('b', 4)];
    const path = join(folder, 'w.safetensors');
    await writeSafetensorsFile(path, entries, { step: '3' });
    expect(new Uint8Array(await readFile(path))).toEqual(writeSafetensors(entries, { step: '3' }));
    expect(await readdir(folder)).toEqual(['w.safetensors']);
    const file = await openSafetensors(await fileSource(path));
    expect(file.label).toBe(path);
    expect((await file.read('b')).data).toEqual(Float32Array.of(4));
    await file.close();
  });

  it('asks for data when its turn comes, and stays as it was when that fails', async () => {
    const path = join(folder, 'w.safetensors');
    await writeSafetensorsFile(path, [{ ...floats('a', 0), data: async () => Float32Array.of(7) }]);
    const before = await readFile(path);
    const failing: FileEntry[] = [
      floats('a', 1),
      { ...floats('b', 2), data: () => Promise.reject(new Error('no data today')) },
    ];
    expect(await messageOf(writeSafetensorsFile(path, failing))).toBe(
      `${path}: cannot be written: no data today`,
    );
    expect(await messageOf(writeSafetensorsFile(path, [{ ...floats('a', 1), shape: [2] }]))).toContain(
      'data has 1',
    );
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(['w.safetensors']);
    const file = await openSafetensors(await fileSource(path));
    expect((await file.read('a')).data).toEqual(Float32Array.of(7));
    await file.close();
  });

  it('may lie in memory that threads share', async () => {
    const data = new Float32Array(new SharedArrayBuffer(8));
    data.set([1, 2]);
    const path = join(folder, 'w.safetensors');
    await writeSafetensorsFile(path, [{ name: 'a', dtype: 'F32', shape: [2], data }]);
    expect(new Uint8Array(await readFile(path))).toEqual(writeSafetensors([floats('a', 1, 2)]));
  });

  it('that is not there, is a folder, or shrinks while it is open', async () => {
    const path = join(folder, 'w.safetensors');
    expect(await messageOf(fileSource(path))).toContain(
      `${path}: cannot be opened: there is no such file or folder`,
    );
    expect(await messageOf(fileSource(folder))).toContain(
      'cannot be opened: it is a folder, expected a file',
    );
    expect(await messageOf(writeSafetensorsFile(join(folder, 'no', 'w'), []))).toContain(
      'cannot be written: there is no such file or folder',
    );
    await writeSafetensorsFile(path, [floats('a', 1, 2)]);
    const file = await openSafetensors(await fileSource(path));
    await writeFile(path, 'short');
    expect(await messageOf(file.read('a'))).toContain('tensor "a": reading 8 bytes');
    await file.close();
    const source = await fileSource(path);
    expect(await messageOf(source.read(3, 3))).toBe(
      `${path}: cannot read 3 bytes at 3: the file has 5 bytes`,
    );
    expect(await messageOf(source.read(-1, 3))).toContain('cannot read 3 bytes at -1');
    await source.close();
  });
});

describe('writing a checkpoint', () => {
  const entries = [floats('10', 1, 2), floats('9', 3), floats('large', 4, 5, 6, 7), floats('last', 8)];

  it('is one file where it fits', async () => {
    const path = join(folder, 'new', 'checkpoint');
    await writeCheckpointFolder(path, entries);
    expect(await readdir(path)).toEqual(['model.safetensors']);
    expect(new Uint8Array(await readFile(join(path, 'model.safetensors')))).toEqual(
      writeSafetensors(entries, { format: 'pt' }),
    );
  });

  it('is sharded as transformers does', async () => {
    await writeCheckpointFolder(folder, entries, { maxShardBytes: 12 });
    expect((await readdir(folder)).sort()).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      INDEX,
    ]);
    expect(await readFile(join(folder, INDEX), 'utf8')).toBe(`{
  "metadata": {
    "total_size": 32
  },
  "weight_map": {
    "10": "model-00001-of-00003.safetensors",
    "9": "model-00001-of-00003.safetensors",
    "large": "model-00002-of-00003.safetensors",
    "last": "model-00003-of-00003.safetensors"
  }
}
`);
    const checkpoint = await openCheckpointFolder(folder);
    expect([...checkpoint.tensors.keys()]).toEqual(['10', '9', 'large', 'last']);
    for (const { name, data } of entries) expect((await checkpoint.read(name)).data).toEqual(data);
    await checkpoint.close();
  });

  it('begins with a tensor greater than a shard', async () => {
    await writeCheckpointFolder(folder, entries.slice(2), { maxShardBytes: 4 });
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', INDEX];
    expect((await readdir(folder)).sort()).toEqual(names);
  });

  it('loads and saves to the same files', async () => {
    await writeCheckpointFolder(folder, entries, {
      maxShardBytes: 12,
      metadata: { format: 'pt', by: 'spec' },
    });
    const checkpoint = await openCheckpointFolder(folder);
    const loaded = Array.from(checkpoint.tensors.values(), ({ name, dtype, shape }): FileEntry => {
      return { name, dtype, shape, data: async () => (await checkpoint.read(name)).data };
    });
    const again = join(folder, 'again');
    await writeCheckpointFolder(again, loaded, { maxShardBytes: 12, metadata: checkpoint.metadata });
    await checkpoint.close();
    const names = (await readdir(folder)).filter((name) => name !== 'again');
    expect((await readdir(again)).sort()).toEqual(names.sort());
    for (const name of names)
      expect(await readFile(join(again, name))).toEqual(await readFile(join(folder, name)));
  });

  it('replaces the checkpoint before it, and only that', async () => {
    await mkdir(join(folder, 'model-00001-of-00009'));
    await put('config.json', '{}');
    await put('other.safetensors', writeSafetensors([floats('other', 1)]));
    await writeCheckpointFolder(folder, entries, { maxShardBytes: 12 });
    await writeCheckpointFolder(folder, entries, { maxShardBytes: 16 });
    await writeCheckpointFolder(folder, entries.slice(1));
    const rest = ['config.json', 'model-00001-of-00009', 'other.safetensors'];
    expect((await readdir(folder)).sort()).toEqual([...rest, 'model.safetensors'].sort());
    await writeCheckpointFolder(folder, entries, { maxShardBytes: 20 });
    expect((await readdir(folder)).sort()).toEqual(
      [...rest, 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', INDEX].sort(),
    );
  });

  it('leaves the one before it alone when it fails', async () => {
    await writeCheckpointFolder(folder, entries, { maxShardBytes: 12 });
    const before = (await readdir(folder)).sort();
    const broken: FileEntry = { ...floats('last', 8), data: () => new Float32Array(9) };
    const failing = writeCheckpointFolder(folder, [...entries.slice(0, 3), broken], { maxShardBytes: 12 });
    expect(await messageOf(failing)).toContain('tensor "last": shape [1] has 1 elements, data has 9');
    expect((await readdir(folder)).sort()).toEqual(before);
    const checkpoint = await openCheckpointFolder(folder);
    expect((await checkpoint.read('last')).data).toEqual(Float32Array.of(8));
    await checkpoint.close();
  });

  it('refuses a name in two shards, and shards of no size', async () => {
    const twice = [floats('a', 1), floats('b', 1), floats('a', 2)];
    expect(await messageOf(writeCheckpointFolder(folder, twice, { maxShardBytes: 4 }))).toContain(
      '"a": is given twice',
    );
    for (const maxShardBytes of [0, -1, Number.NaN]) {
      const message = await messageOf(writeCheckpointFolder(folder, entries, { maxShardBytes }));
      expect(message).toContain(`maxShardBytes must be greater than 0, got ${maxShardBytes}`);
    }
    expect(await readdir(folder)).toEqual([]);
  });
});
