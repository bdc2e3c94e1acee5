/** Gradients: where they go, how they add up, and that they are derivatives. */
import fc from 'fast-check';
import type { CogVLM, ModelInput } from '../../src/models/cogvlm/index.ts';
import { IGNORE_INDEX } from '../../src/nn/index.ts';
import { noGrad, Rng, scope, Tensor } from '../../src/tensor/index.ts';
import { demand, demandClose } from '../support/demand.ts';
import {
  anySeed,
  anyTexts,
  batchOf,
  type Conversation,
  conversation,
  hasWideNorms,
  randomModel,
  tinyConfig,
} from '../support/models.ts';
import { measureNoise, type Numbers } from '../support/noise.ts';
import { anyTalks, talksOf } from './logits.ts';
import { forAll, type Property } from './property.ts';

/** Adds `weight` times the gradient of the loss. */
function accumulate(model: CogVLM, input: ModelInput, labels: readonly number[][], weight = 1): void {
  scope(() => {
    const loss = model.loss(model.call(input), labels);
    loss.backward(Tensor.full([], weight, { dtype: loss.dtype }));
  });
}

async function gradientsOf(model: CogVLM): Promise<Map<string, ArrayLike<number>>> {
  const found = new Map<string, ArrayLike<number>>();
  for (const [path, { grad }] of model.namedParameters())
    if (grad !== null) found.set(path, await grad.read());
  return found;
}

/** Every token but the first is a label of the one before it; padding is none. */
function labelsOf({ ids, attentionMask }: ReturnType<typeof batchOf>): number[][] {
  return ids.map((row, b) => row.map((id, t) => (attentionMask[b][t] === 1 ? id : IGNORE_INDEX)));
}

const REACH: Property = {
  name: 'gradients reach every weight, those of experts and vision only where there is a picture',
  holds: (setting) =>
    forAll(
      setting,
      0.5,
      fc.record({
        sizes: setting.sizes.filter(hasWideNorms),
        seed: anySeed,
      }),
      async ({ sizes, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        const talk = conversation(config, [1, 3], seed);
        accumulate(model, batchOf(config, [talk], setting), [[...talk.ids]]);
        const all = await gradientsOf(model);
        for (const path of model.namedParameters().keys()) {
          const gradient = all.get(path);
          demand(gradient !== undefined, `${path} has no gradient`);
          demand(
            Array.prototype.some.call(gradient, (g) => g !== 0),
            `the gradient of ${path} is zero`,
          );
        }
        model.zeroGrad();
        const text = [1, 3, 4];
        accumulate(model, { ids: [text] }, [text]);
        const reached = await gradientsOf(model);
        for (const path of model.namedParameters().keys()) {
          const isVision = path.includes('vision');
          demand(
            reached.has(path) !== isVision,
            `${path} has ${isVision ? 'a' : 'no'} gradient without a picture`,
          );
        }
      },
    ),
};

const ACCUMULATED: Property = {
  name: "the gradient of a batch is the sum of its rows' gradients, weighted by how many tokens each predicts",
  holds: (setting) =>
    forAll(setting, 0.5, anyTalks(setting.sizes, 2, 3), async ({ sizes, texts, seed }, trial) => {
      const config = tinyConfig(sizes);
      const talks = talksOf(config, { texts: texts.map((lengths) => [...lengths, 1]), seed });
      const whole = async ({ dtype, nudge }: Numbers) => {
        const model = randomModel(config, seed, dtype, nudge);
        const batch = batchOf(config, talks, { side: 'right', dtype, nudge });
        accumulate(model, batch, labelsOf(batch));
        const gradients = await gradientsOf(model);
        model.dispose();
        return gradients;
      };
      const noise = await measureNoise(whole);
      const model = trial.model(config, seed);
      const predicted = ({ ids }: Conversation) => ids.length - 1;
      const total = talks.reduce((n, talk) => n + predicted(talk), 0);
      for (const talk of talks) {
        const row = batchOf(config, [talk], setting);
        accumulate(model, row, labelsOf(row), predicted(talk) / total);
      }
      const summed = await gradientsOf(model);
      for (const [path, gradient] of await whole(setting))
        demandClose(summed.get(path) ?? [], gradient, trial.allowed(noise, path), `gradient of ${path}`);
    }),
};

/** Central differences are off by c·STEP²; that of half the step, by a quarter of it. */
const STEP = 2 ** -18;

const DERIVATIVE: Property = {
  name: 'the derivative of the loss in any direction of weights and pixels is that direction times the gradient',
  holds: (setting) =>
    forAll(
      setting,
      1,
      fc.record({ sizes: setting.sizes.filter(hasWideNorms), texts: anyTexts, seed: anySeed }),
      async ({ sizes, texts, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        const talk = conversation(config, [...texts, 1], seed);
        const input = batchOf(config, [talk], setting);
        const labels = [[...talk.ids]];
        const leaves: Tensor[] = [...model.namedParameters().values()];
        if (input.pixels !== undefined) leaves.push(input.pixels);
        for (const leaf of leaves) leaf.requiresGrad = true;
        accumulate(model, input, labels);

        const rng = new Rng(seed);
        const lines = leaves.map((leaf) => ({
          leaf,
          start: noGrad(() => leaf.mul(1)),
          direction: Tensor.randn(leaf.shape, rng, setting),
        }));
        let inner = 0;
        for (const { leaf, direction } of lines)
          inner += leaf.grad === null ? 0 : (await leaf.grad.mul(direction).sum().read())[0];
        input.pixels?.zeroGrad();

        const lossAt = async (step: number): Promise<number> => {
          for (const { leaf, start, direction } of lines) leaf.assign(start.add(direction.mul(step)));
          const loss = scope(() => noGrad(() => model.loss(model.call(input), labels)));
          return (await loss.read())[0];
        };
        const difference = async (step: number) =>
          ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        const [wide, narrow] = [await difference(STEP), await difference(STEP / 2)];
        const numeric = (4 * narrow - wide) / 3; // without the STEP² term
        const truncation = Math.abs(wide - narrow);
        // Where a model bends so sharply that differences do not settle, they say nothing about its gradient.
        fc.pre(truncation < 1e-5 * Math.max(1, Math.abs(numeric)));
        const allowed = 0.1 * truncation + 1e-8 * Math.max(1, Math.abs(numeric));
        demandClose([inner], [numeric], allowed, 'derivative');
      },
    ),
  restriction: {
    applies: ({ dtype }) => dtype === 'float64',
    reason:
      'a difference of two float32 losses is noise; in float32 gradients are compared with those in float64',
  },
};

export const gradients: readonly Property[] = [REACH, ACCUMULATED, DERIVATIVE];
