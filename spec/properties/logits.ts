/** What several properties look at: the logits of a batch, and how noisy they are. */
import type { HostArray } from '../../src/kernels/backend.ts';
import type { CogVLM, CogVLMConfig, ModelInput } from '../../src/models/cogvlm/index.ts';
import { noGrad, scope } from '../../src/tensor/index.ts';
import {
  batchOf,
  type Conversation,
  conversation,
  disposeModel,
  randomModel,
  type Side,
} from '../support/models.ts';
import { measureNoise, type Noise } from '../support/noise.ts';

/** [B, T, V] in row-major order. */
export function logitsOf(model: CogVLM, input: ModelInput): Promise<HostArray> {
  return scope(() => noGrad(() => model.call(input)).read());
}

/** Conversations with texts of these lengths. */
export function talksOf(
  config: CogVLMConfig,
  { texts, seed }: { readonly texts: readonly (readonly number[])[]; readonly seed: number },
): Conversation[] {
  return texts.map((lengths, b) => conversation(config, lengths, seed + b));
}

/** Noise of the tensor "logits" of the random model `seed` on a batch. */
export function noiseOfLogits(
  config: CogVLMConfig,
  seed: number,
  talks: readonly Conversation[],
  side: Side = 'left',
): Promise<Noise> {
  return measureNoise(async ({ dtype, nudge }) => {
    const model = randomModel(config, seed, dtype, nudge);
    const logits = await logitsOf(model, batchOf(config, talks, { side, dtype, nudge }));
    disposeModel(model);
    return new Map([['logits', logits]]);
  });
}
