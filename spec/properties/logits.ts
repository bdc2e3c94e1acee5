/** What several properties look at: the logits of a batch, and how noisy they are. */
import fc from 'fast-check';
import type { HostArray } from '../../src/kernels/backend.ts';
import type { CogVLM, CogVLMConfig, ModelInput } from '../../src/models/cogvlm/index.ts';
import { noGrad, scope } from '../../src/tensor/index.ts';
import {
  anySeed,
  anyTexts,
  batchOf,
  type Conversation,
  conversation,
  randomModel,
  type Side,
  type TinySizes,
} from '../support/models.ts';
import { measureNoise, type Noise } from '../support/noise.ts';

/** [B, T, V] in row-major order. */
export function logitsOf(model: CogVLM, input: ModelInput): Promise<HostArray> {
  return scope(() => noGrad(() => model.call(input)).read());
}

/** Sizes, texts and a seed of so many conversations. */
export function anyTalks(sizes: fc.Arbitrary<TinySizes>, minLength: number, maxLength: number) {
  return fc.record({ sizes, texts: fc.array(anyTexts, { minLength, maxLength }), seed: anySeed });
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
    model.dispose();
    return new Map([['logits', logits]]);
  });
}
