/**
 * The state of a run on disk (Node only): weights, the optimiser's moments and the step, in one safetensors file that is
 * replaced as a whole. Nothing is rounded, so a resumed run goes on bit for bit.
 */
import { access } from 'node:fs/promises';
import { fileSource, writeSafetensorsFile } from '../data/safetensors/node.ts';
import { openSafetensors } from '../data/safetensors/read.ts';
import type { AdamW, AnyModule } from '../nn/index.ts';
import { scope, Tensor } from '../tensor/index.ts';

const MODEL = 'model/';
const OPTIMIZER = 'optimizer/';

export async function saveRun(path: string, model: AnyModule, optimizer: AdamW): Promise<void> {
  const { step, tensors, skipped = new Map() } = optimizer.state();
  const entries = [];
  for (const [prefix, group] of [
    [MODEL, model.stateDict()],
    [OPTIMIZER, tensors],
  ] as const) {
    for (const [name, tensor] of group) {
      entries.push({
        name: prefix + name,
        dtype: 'F32' as const,
        shape: tensor.shape,
        data: await tensor.read(),
      });
    }
  }
  const metadata = { step: String(step), skipped: JSON.stringify(Object.fromEntries(skipped)) };
  await writeSafetensorsFile(path, entries, metadata);
}

/**
 * Puts a saved run back into a model and its optimiser.
 * @returns whether there was one at `path`
 * @throws SafetensorsError, StateDictError where the file is damaged or of another model
 */
export async function loadRun(path: string, model: AnyModule, optimizer: AdamW): Promise<boolean> {
  const present = await access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!present) return false;
  await scope(() => readRun(path, model, optimizer));
  return true;
}

async function readRun(path: string, model: AnyModule, optimizer: AdamW): Promise<void> {
  const file = await openSafetensors(await fileSource(path));
  const groups = { [MODEL]: new Map<string, Tensor>(), [OPTIMIZER]: new Map<string, Tensor>() };
  for (const name of file.tensors.keys()) {
    const prefix = name.startsWith(MODEL) ? MODEL : OPTIMIZER;
    const { data, shape } = await file.read(name);
    groups[prefix].set(name.slice(prefix.length), Tensor.fromArray(data, shape));
  }
  const step = Number(file.metadata.get('step'));
  const skipped = new Map<string, number>(Object.entries(JSON.parse(file.metadata.get('skipped') ?? '{}')));
  await file.close();
  model.loadStateDict(groups[MODEL]);
  optimizer.loadState({ step, tensors: groups[OPTIMIZER], skipped });
}
