/** Loading and saving in the released layout. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Checkpoint, openCheckpoint, SINGLE_FILE } from '../../src/data/safetensors/checkpoint.ts';
import { openCheckpointFolder } from '../../src/data/safetensors/node.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import { type TensorEntry, writeSafetensors } from '../../src/data/safetensors/write.ts';
import { CogVLM, checkpointEntries, checkpointKeys, loadCogVLM } from '../../src/models/cogvlm/index.ts';
import { Linear, StateDictError } from '../../src/nn/index.ts';
import { randomModel, randomPixels, tinyConfig, tinyJson } from '../support/models.ts';

const opened = (bytes: Uint8Array): Promise<Checkpoint> =>
  openCheckpoint({
    label: 'spec',
    list: async () => [SINGLE_FILE],
    open: async (name) => bytesSource(bytes, name),
  });

const sizes = { group: 2, downsample: true, bias: true };
const config = tinyConfig(sizes);
const json = tinyJson(sizes);
const fresh = () => randomModel(config, 3, 'float32');

function logitsOf(model: CogVLM): Float32Array {
  const input = { ids: [[1, 0, 0, 0, 5, 6]], types: [[0, 1, 1, 1, 0, 0]] };
  const pixels = randomPixels(config, 1, 4, model.lm_head.weight.dtype);
  return Float32Array.from(model.call({ ...input, pixels }).data);
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => error,
  );
}

describe('the table of names', () => {
  it('is the paths of the model, in every variant', () => {
    for (const variant of [{}, { bias: true }, { downsample: true, group: 2 }, sizes]) {
      const c = tinyConfig(variant);
      const state = new Map(randomModel(c, 1).state());
      const keys = checkpointKeys(c);
      expect([...keys.keys()].sort()).toEqual([...state.keys()].sort());
      for (const [name, { shape }] of keys) expect(state.get(name)?.shape, name).toEqual(shape);
    }
  });
});

describe('save → load → save', () => {
  it.each(['F32', 'BF16'] as const)(
    'gives the same bytes, and the same logits from then on: %s',
    async (dtype) => {
      const first = writeSafetensors(await checkpointEntries(fresh(), dtype));
      const loaded = await loadCogVLM(json, await opened(first));
      const second = writeSafetensors(await checkpointEntries(loaded, dtype));
      expect(Buffer.compare(second, first)).toBe(0);
      const again = await loadCogVLM(json, await opened(second));
      expect(logitsOf(again)).toEqual(logitsOf(loaded));
      if (dtype === 'F32') expect(logitsOf(loaded)).toEqual(logitsOf(fresh()));
    },
  );

  it('a model in float64 saves the float32 numbers it was loaded with', async () => {
    const first = writeSafetensors(await checkpointEntries(fresh(), 'F32'));
    const wide = await loadCogVLM(json, await opened(first), { dtype: 'float64' });
    expect(wide.lm_head.weight.dtype).toBe('float64');
    expect(Buffer.compare(writeSafetensors(await checkpointEntries(wide, 'F32')), first)).toBe(0);
  });

  it('writes names in the order of the table, rotary frequencies as F32 in either case', async () => {
    const entries = await checkpointEntries(fresh(), 'BF16');
    expect(entries.map(({ name }) => name)).toEqual([...checkpointKeys(config).keys()]);
    expect(entries.filter(({ dtype }) => dtype === 'F32').map(({ name }) => name)).toEqual([
      'model.layers.0.self_attn.rotary_emb.inv_freq',
      'model.layers.1.self_attn.rotary_emb.inv_freq',
    ]);
  });

  it('of a model with a weight that has no name in the table are refused, not dropped', async () => {
    const model = new CogVLM(tinyConfig());
    Object.assign(model.model, { extra: new Linear({ inFeatures: 1, outFeatures: 1, bias: false }) });
    await expect(checkpointEntries(model, 'F32')).rejects.toThrow(
      'CogVLM: weights that checkpointKeys does not know: model.extra.weight',
    );
  });

  it('tells how far it is', async () => {
    const steps: string[] = [];
    const checkpoint = await opened(writeSafetensors(await checkpointEntries(fresh(), 'F32')));
    await loadCogVLM(json, checkpoint, { onProgress: (done, total) => steps.push(`${done}/${total}`) });
    const total = checkpoint.tensors.size;
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([total, `1/${total}`, `${total}/${total}`]);
  });
});

describe('rotary frequencies', () => {
  const isFrequency = ({ name }: TensorEntry) => name.endsWith('inv_freq');

  it('may be absent: they are computed, and the logits are the same', async () => {
    const entries = await checkpointEntries(fresh(), 'F32');
    const without = entries.filter((entry) => !isFrequency(entry));
    expect(without.length).toBe(entries.length - 2);
    const loaded = await loadCogVLM(json, await opened(writeSafetensors(without)));
    expect(logitsOf(loaded)).toEqual(logitsOf(fresh()));
  });

  it('decide where they are there', async () => {
    const entries = await checkpointEntries(fresh(), 'F32');
    const turned = entries.map((entry) =>
      isFrequency(entry)
        ? { ...entry, data: Float32Array.from(entry.data as Float32Array, (f) => f * 1.5) }
        : entry,
    );
    const loaded = await loadCogVLM(json, await opened(writeSafetensors(turned)));
    expect(logitsOf(loaded)).not.toEqual(logitsOf(fresh()));
  });
});

describe('a checkpoint that does not fit', () => {
  it('is reported with all that is missing, unexpected and misshapen, before weights are read', async () => {
    const entries = (await checkpointEntries(fresh(), 'F32')).flatMap((entry): TensorEntry[] => {
      if (entry.name === 'lm_head.weight' || entry.name === 'model.vision.boi') return [];
      if (entry.name === 'model.norm.weight') return [{ ...entry, shape: [1, config.hiddenSize] }];
      return [entry];
    });
    const extra: TensorEntry = {
      name: 'model.layers.9.extra',
      dtype: 'F32',
      shape: [1],
      data: Float32Array.of(1),
    };
    const checkpoint = await opened(writeSafetensors([...entries, extra]));
    let reads = 0;
    checkpoint.read = () => {
      reads++;
      throw new Error('read too early');
    };
    const error = await thrownBy(loadCogVLM(json, checkpoint));
    expect(error).toBeInstanceOf(StateDictError);
    expect((error as StateDictError).message).toBe(
      [
        'checkpoint does not fit the model: 2 missing, 1 unexpected, 1 misshapen',
        '  missing     model.vision.boi',
        '  missing     lm_head.weight',
        '  unexpected  model.layers.9.extra',
        '  misshapen   model.norm.weight: is [1,8], expected [8]',
      ].join('\n'),
    );
    expect(reads).toBe(0);
  });

  it('of another depth names the layers that are too many', async () => {
    const bytes = writeSafetensors(await checkpointEntries(fresh(), 'F32'));
    const error = await thrownBy(loadCogVLM(tinyJson({ ...sizes, layers: 1 }), await opened(bytes)));
    const { missing, unexpected } = error as StateDictError;
    expect(missing).toEqual([]);
    expect(unexpected.length).toBe(14); // with its bias and frequencies
    expect(unexpected.every((name) => name.startsWith('model.layers.1.'))).toBe(true);
  });
});

describe('the bf16 goldens', () => {
  it.each(['cogvlm', 'cogvlm2'])('%s loads, and is the float32 checkpoint rounded', async (name) => {
    const folder = join(import.meta.dirname, '../goldens', name);
    const load = async (part: string) => {
      const checkpoint = await openCheckpointFolder(join(folder, part));
      const text = readFileSync(join(folder, part, 'config.json'), 'utf8');
      const model = await loadCogVLM(JSON.parse(text), checkpoint);
      await checkpoint.close();
      return model;
    };
    const [full, half] = [await load('checkpoint'), await load('checkpoint-bf16')];
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    for (const [path, weight] of half.namedParameters()) {
      const exact = full.stateDict().get(path)?.data ?? [];
      for (const [i, v] of weight.data.entries()) {
        value[0] = v;
        // The low half of a widened bf16 is empty.
        if ((bits[0] & 0xffff) !== 0) throw new Error(`${path} ${i}: ${v} is no bf16`);
        if (Math.abs(v - exact[i]) > Math.abs(exact[i]) / 256)
          throw new Error(`${path} ${i}: ${v}, ${exact[i]}`);
      }
    }
    const ids = [[1, 7, 8, 9]];
    const [a, b] = [full.call({ ids }).data, half.call({ ids }).data];
    const far = Math.max(...a.map((v, i) => Math.abs(v - b[i])));
    expect(far).toBeGreaterThan(0);
    expect(far).toBeLessThan(0.05 * Math.max(...a.map(Math.abs)));
  });
});
