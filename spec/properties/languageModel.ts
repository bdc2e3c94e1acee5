/** Where there is nothing to see, or nothing that sees, CogVLM is its language model. */
import fc from 'fast-check';
import { cpu } from '../../src/kernels/cpu/index.ts';
import { type CogVLMConfig, positionIds } from '../../src/models/cogvlm/index.ts';
import { Rng, scope, Tensor } from '../../src/tensor/index.ts';
import { copyLanguageToExperts } from '../../src/train/index.ts';
import { demand, demandClose, demandSame } from '../support/demand.ts';
import { PlainLlama } from '../support/llama.ts';
import { anySeed, anyTexts, batchOf, conversation, randomModel, tinyConfig } from '../support/models.ts';
import { greatestDifference, measureNoise, runOn } from '../support/noise.ts';
import { logitsOf, noiseOfLogits } from './logits.ts';
import { forAll, type Property } from './property.ts';

/** The language part of the random model `seed`. */
function plainLlama(config: CogVLMConfig, seed: number): Promise<PlainLlama> {
  return runOn(cpu, async () => {
    const model = randomModel(config, seed);
    const llama = new PlainLlama(model);
    model.dispose();
    return llama;
  });
}

const WITHOUT_PICTURE: Property = {
  name: 'without a picture it is exactly the language model: LLaMA in plain loops gives the same logits',
  holds: (setting) =>
    forAll(
      setting,
      1,
      fc.record({ sizes: setting.sizes, length: fc.integer({ min: 0, max: 6 }), seed: anySeed }),
      async ({ sizes, length, seed }, trial) => {
        const config = tinyConfig(sizes);
        const talk = conversation(config, [length], seed);
        const llama = await plainLlama(config, seed);
        const positions = talk.ids.map((_, t) => t);
        const wanted = llama.logits(llama.embed(talk.ids), positions).flat();
        const noise = await noiseOfLogits(config, seed, [talk]);
        const got = await logitsOf(trial.model(config, seed), { ids: [talk.ids] });
        demandClose(got, wanted, trial.allowed(noise, 'logits'), 'logits');
      },
    ),
};

const NO_VISION_WEIGHT: Property = {
  name: 'without a picture no vision weight can change a logit, not in the last bit',
  holds: (setting) =>
    forAll(
      setting,
      0.7,
      fc.record({ sizes: setting.sizes, length: fc.integer({ min: 0, max: 4 }), seed: anySeed }),
      async ({ sizes, length, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        const { ids } = conversation(config, [length], seed);
        const before = await logitsOf(model, { ids: [ids] });
        const rng = new Rng(seed + 1);
        for (const [path, weight] of model.namedParameters()) {
          if (path.includes('vision')) weight.assign(Tensor.randn(weight.shape, rng, setting));
        }
        demandSame(await logitsOf(model, { ids: [ids] }), before, 'logits');
      },
    ),
};

const EQUAL_EXPERTS: Property = {
  name: "with experts equal to the language model's weights it is exactly the language model on the same embeddings",
  holds: (setting) =>
    forAll(
      setting,
      1,
      fc.record({ sizes: setting.sizes, texts: anyTexts, seed: anySeed }),
      async ({ sizes, texts, seed }, trial) => {
        const config = tinyConfig(sizes);
        const talk = conversation(config, [...texts, 1], seed);
        const noise = await measureNoise(async ({ dtype, nudge }) => {
          const model = randomModel(config, seed, dtype, nudge);
          const input = batchOf(config, [talk], { dtype, nudge });
          const own = await logitsOf(model, input);
          const { pixels } = input;
          const features =
            pixels === undefined ? [] : await scope(() => model.model.vision.call(pixels).read());
          copyLanguageToExperts(model);
          const logits = await logitsOf(model, input);
          model.dispose();
          return new Map<string, ArrayLike<number>>([
            ['logits', logits],
            ['logits with its own experts', own],
            ['features', features],
          ]);
        });
        const llama = await plainLlama(config, seed);
        const features = Array.from(noise.truth.get('features') ?? []);
        const embeddings = llama.embed(talk.ids).map((row, t) => {
          return talk.types[t] === 0 ? row : features.splice(0, config.hiddenSize);
        });
        demand(features.length === 0, `${features.length} features of pictures have no place`);
        const wanted = llama.logits(embeddings, positionIds(talk.types)).flat();

        const model = trial.model(config, seed);
        copyLanguageToExperts(model);
        const got = await logitsOf(model, batchOf(config, [talk], setting));
        demandClose(got, wanted, trial.allowed(noise, 'logits'), 'logits');
        const own = noise.truth.get('logits with its own experts') ?? [];
        demand(greatestDifference(own, wanted) > 1e-6, 'the experts make no difference');
      },
    ),
};

export const languageModel: readonly Property[] = [WITHOUT_PICTURE, NO_VISION_WEIGHT, EQUAL_EXPERTS];
