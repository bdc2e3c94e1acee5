/** What is saved is what was there. */
import fc from 'fast-check';
import { type Checkpoint, openCheckpoint, SINGLE_FILE } from '../../src/data/safetensors/checkpoint.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import { writeSafetensors } from '../../src/data/safetensors/write.ts';
import { checkpointEntries, configToJson, loadCogVLM } from '../../src/models/cogvlm/index.ts';
import { demand, demandSame } from '../support/demand.ts';
import { anySeed, batchOf, conversation, tinyConfig } from '../support/models.ts';
import { logitsOf } from './logits.ts';
import { forAll, type Property } from './property.ts';

const opened = (bytes: Uint8Array): Promise<Checkpoint> =>
  openCheckpoint({
    label: 'the saved model',
    list: async () => [SINGLE_FILE],
    open: async (name) => bytesSource(bytes, name),
  });

function savedAs(stored: 'F32' | 'BF16'): Property {
  return {
    name: `save → load → save gives the same bytes, and the same logits from then on: ${stored}`,
    holds: (setting) =>
      forAll(
        setting,
        0.5,
        fc.record({ sizes: setting.sizes, seed: anySeed }),
        async ({ sizes, seed }, trial) => {
          const config = tinyConfig(sizes);
          const model = trial.model(config, seed);
          const input = batchOf(config, [conversation(config, [1, 2], seed)], setting);
          const json = configToJson(config, 'float32');
          const load = async (bytes: Uint8Array) => loadCogVLM(json, await opened(bytes), setting);

          const first = writeSafetensors(await checkpointEntries(model, stored));
          const loaded = await load(first);
          const second = writeSafetensors(await checkpointEntries(loaded, stored));
          demandSame(second, first, 'bytes');
          const text = JSON.stringify(configToJson(loaded.config, 'float32'));
          demand(text === JSON.stringify(json), `config.json: ${text}, expected ${JSON.stringify(json)}`);

          const again = await load(second);
          const logits = await logitsOf(loaded, input);
          demandSame(await logitsOf(again, input), logits, 'logits');
          // The random weights are float32 numbers, which F32 keeps; rotary frequencies are rounded to it.
          if (stored === 'F32' && setting.dtype === 'float32')
            demandSame(logits, await logitsOf(model, input), 'logits before saving');
          loaded.dispose();
          again.dispose();
        },
      ),
  };
}

export const checkpoints: readonly Property[] = [savedAs('F32'), savedAs('BF16')];
