/**
 * Loading and saving a CogVLM in the released layout. The checkpoint is compared with the table of names before any
 * weight is read; what is missing, unexpected or misshapen is listed together.
 */
import type { Checkpoint, TensorEntry } from '../../data/index.ts';
import type { DType } from '../../kernels/index.ts';
import { Constant, StateDictError } from '../../nn/index.ts';
import { Tensor } from '../../tensor/index.ts';
import { checkpointKeys } from './checkpointKeys.ts';
import { CogVLM } from './cogvlm.ts';
import { type CogVLMConfig, parseConfig } from './config.ts';

/** How weights are put into a model. */
export interface LoadOptions {
  /** What the model computes in; bf16 and f16 weights are widened exactly. Default float32. */
  readonly dtype?: DType;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Sizes from config.json, which the names in the checkpoint complete.
 * @throws ConfigError, StateDictError
 */
export function configOf(json: unknown, checkpoint: Pick<Checkpoint, 'tensors'>): CogVLMConfig {
  const config = parseConfig(json, checkpoint.tensors);
  const keys = checkpointKeys(config);
  const missing = [...keys].flatMap(([key, { optional }]) =>
    optional || checkpoint.tensors.has(key) ? [] : [key],
  );
  const unexpected = [...checkpoint.tensors.keys()].filter((key) => !keys.has(key));
  const misshapen = [...keys].flatMap(([key, { shape: expected }]) => {
    const got = checkpoint.tensors.get(key)?.shape;
    return got === undefined || String(got) === String(expected) ? [] : [{ key, expected, got }];
  });
  if (missing.length + unexpected.length + misshapen.length > 0) {
    throw new StateDictError({ missing, unexpected, misshapen });
  }
  return config;
}

/**
 * Builds the model of a config.json and reads its weights.
 * @throws ConfigError, StateDictError, SafetensorsError
 */
export async function loadCogVLM(
  json: unknown,
  checkpoint: Checkpoint,
  options: LoadOptions = {},
): Promise<CogVLM> {
  const { dtype = 'float32', onProgress } = options;
  const config = configOf(json, checkpoint);
  const model = new CogVLM(config, { dtype });
  const keys = checkpointKeys(config).match(model.state());
  const state = [...keys].filter(([name]) => checkpoint.tensors.has(name));
  for (const [i, [name, { weight }]] of state.entries()) {
    const { data, shape } = await checkpoint.read(name);
    const values = Tensor.fromArray(data, shape, { dtype });
    weight.assign(values);
    values.dispose();
    onProgress?.(i + 1, state.length);
  }
  return model;
}

/**
 * The weights as they are written: in the order of the table, weights as F32 or rounded to BF16. Rotary frequencies
 * stay F32 in either case, so that a loaded model turns by the same angles.
 * @throws WeightNameError where the model's weights are not those of the table: a model that was changed
 */
export async function checkpointEntries(model: CogVLM, dtype: 'F32' | 'BF16'): Promise<TensorEntry[]> {
  const entries: TensorEntry[] = [];
  for (const [name, { weight }] of checkpointKeys(model.config).match(model.state())) {
    const data = Float32Array.from(await weight.read());
    entries.push({ name, dtype: weight instanceof Constant ? 'F32' : dtype, shape: weight.shape, data });
  }
  return entries;
}
