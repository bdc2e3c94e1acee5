/** Files that other software wrote: the golden checkpoints and results (spec/goldens/README.md). */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { roundToBf16 } from '../../src/data/safetensors/halfFloat.ts';
import { fileSource, openCheckpointFolder } from '../../src/data/safetensors/node.ts';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import { writeSafetensors } from '../../src/data/safetensors/write.ts';
import { bytesEqual } from './safetensorsBytes.ts';

const MODELS = [
  { model: 'cogvlm', tensors: [45, 45], totalSize: 1_850_304, truth: 188 },
  { model: 'cogvlm2', tensors: [48, 47], totalSize: 1_741_008, truth: 194 },
] as const;

describe.each(MODELS)('$model', ({ model, tensors, totalSize, truth }) => {
  const folder = fileURLToPath(new URL(`../goldens/${model}/`, import.meta.url));

  it('reads the F32 checkpoint in two shards', async () => {
    const checkpoint = await openCheckpointFolder(`${folder}checkpoint`);
    expect(checkpoint.files.map(({ name, tensorCount }) => [name, tensorCount])).toEqual([
      ['model-00001-of-00002.safetensors', tensors[0]],
      ['model-00002-of-00002.safetensors', tensors[1]],
    ]);
    expect(checkpoint.tensors.size).toBe(tensors[0] + tensors[1]);
    expect([...checkpoint.tensors.values()].every(({ dtype }) => dtype === 'F32')).toBe(true);
    expect([...checkpoint.metadata]).toEqual([['format', 'pt']]);
    expect(checkpoint.tensors.get('lm_head.weight')).toMatchObject({ shape: [320, 64] });
    let bytes = 0;
    for (const { begin, end } of checkpoint.tensors.values()) bytes += end - begin;
    expect(bytes).toBe(totalSize);
    const embedding = await checkpoint.read('model.embed_tokens.weight');
    expect(embedding.shape).toEqual([320, 64]);
    expect(embedding.data).toBeInstanceOf(Float32Array);
    expect(embedding.data.every(Number.isFinite)).toBe(true);
    await checkpoint.close();
  });

  it('rounds F32 to the BF16 that PyTorch wrote, and widens it to the same values', async () => {
    const wide = await openCheckpointFolder(`${folder}checkpoint`);
    const half = await openCheckpointFolder(`${folder}checkpoint-bf16`);
    expect(half.files.map(({ name }) => name)).toEqual(['model.safetensors']);
    expect([...half.tensors.keys()].sort()).toEqual([...wide.tensors.keys()].sort());
    let changed = 0;
    for (const name of wide.tensors.keys()) {
      const { data: values, shape } = await wide.read(name);
      const stored = await half.readStored(name);
      expect(stored.dtype).toBe('BF16');
      expect(stored.shape).toEqual(shape);
      const float = Float32Array.from(values);
      const rounded = roundToBf16(float);
      expect(bytesEqual(new Uint8Array(rounded.buffer), bytesOf(stored.data))).toBe(true);
      const { data: widened } = await half.read(name);
      for (let i = 0; i < float.length; i++) {
        if (widened[i] !== float[i]) changed++;
        // Half a unit in the last of 8 significant bits.
        if (Math.abs(widened[i] - float[i]) > Math.abs(float[i]) * 2 ** -8) throw new Error(`${name}[${i}]`);
      }
    }
    expect(changed).toBeGreaterThan(0.9 * (totalSize / 4));
    await Promise.all([wide.close(), half.close()]);
  });

  it.each([
    'checkpoint/model-00001-of-00002',
    'checkpoint/model-00002-of-00002',
    'checkpoint-bf16/model',
    'inputs',
  ])('writes %s.safetensors to the bytes it has', async (name) => {
    const path = `${folder}${name}.safetensors`;
    const file = await openSafetensors(await fileSource(path));
    const entries = [];
    for (const tensor of file.tensors.keys()) entries.push({ name: tensor, ...(await file.read(tensor)) });
    expect(bytesEqual(writeSafetensors(entries, file.metadata), await readFile(path))).toBe(true);
    await file.close();
  });

  it('reads the I64, BOOL and F32 results', async () => {
    const file = await openSafetensors(await fileSource(`${folder}truth.safetensors`));
    const { token_type_ids: types } = JSON.parse(await readFile(`${folder}case.json`, 'utf8')) as {
      token_type_ids: number[];
    };
    expect(file.tensors.size).toBe(truth);
    expect(file.tensors.get('position_ids')).toMatchObject({ dtype: 'I64', shape: [1, types.length] });
    expect(file.tensors.get('batch.position_ids')?.dtype).toBe('I64');
    expect(file.tensors.get('vision_expert_mask')).toMatchObject({ dtype: 'BOOL', shape: [1, types.length] });
    // bos 0, boi 1, all patches 2, eoi 3, then one more each; the vision expert has boi and the patches.
    const last = types.lastIndexOf(1);
    const positions = types.map((type, i) =>
      i > last ? i - last + 3 : type === 0 ? 0 : i === 1 ? 1 : i === last ? 3 : 2,
    );
    expect(await file.read('position_ids').then(({ data }) => data)).toEqual(Int32Array.from(positions));
    const vision = types.map((type, i) => (type === 1 && types[i + 1] === 1 ? 1 : 0));
    expect(await file.read('vision_expert_mask').then(({ data }) => data)).toEqual(Uint8Array.from(vision));
    const loss = await file.read('loss');
    expect(loss.shape).toEqual([1]);
    expect(loss.data.length).toBe(1);
    expect(loss.data[0]).toBeGreaterThan(0);
    await file.close();
  });
});

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
