/** A run that was stopped, saved and taken up again is the run that went through (Node only). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CogVLM, type CogVLMConfig, type ModelPart } from '../../src/models/cogvlm/index.ts';
import { AdamW, warmupCosine } from '../../src/nn/index.ts';
import { Rng, type Tensor } from '../../src/tensor/index.ts';
import { answerLoss, type Example, parameterGroups, train } from '../../src/train/index.ts';
import { loadRun, saveRun } from '../../src/train/node.ts';
import { demand, demandSame } from '../support/demand.ts';
import { anySeed, tinyConfig, VOCABULARY as V } from '../support/models.ts';
import { forAll, type Property } from './property.ts';

const STEPS = 4;
const PARTS = ['vit', 'adapter', 'experts', 'language'] as const satisfies readonly ModelPart[];

interface Recipe {
  readonly parts: readonly ModelPart[];
  readonly clipNorm: number;
  readonly seed: number;
}

interface Run {
  readonly model: CogVLM;
  readonly optimizer: AdamW;
  readonly losses: number[];
}

/** @param initial seed of the weights it starts from */
function begun(config: CogVLMConfig, { parts }: Recipe, initial: number): Run {
  const model = new CogVLM(config, { rng: new Rng(initial) });
  const lrScale = Object.fromEntries(parts.map((part, i) => [part, 1 / (i + 1)]));
  const optimizer = new AdamW(parameterGroups(model, { lrScale, weightDecay: 0.05 }));
  return { model, optimizer, losses: [] };
}

function randomExample({ vision }: CogVLMConfig, rng: Rng): Example {
  const tokens = (n: number) => Array.from({ length: n }, () => 3 + rng.integer(V - 3));
  const pixels = Float32Array.from({ length: 3 * vision.imageSize ** 2 }, () => rng.normal());
  return { prompt: tokens(rng.integer(2)), answer: tokens(1 + rng.integer(2)), pixels };
}

/** Trains until step `until`. */
async function trained({ model, optimizer, losses }: Run, recipe: Recipe, until: number): Promise<void> {
  const lr = warmupCosine({ peak: 1e-2, warmupSteps: 1, totalSteps: STEPS });
  const lossAt = (rng: Rng) =>
    answerLoss(
      model,
      [0, 1].map(() => randomExample(model.config, rng)),
    );
  await train(optimizer, { ...recipe, steps: STEPS, lr }, lossAt, ({ loss, step }) => {
    losses.push(loss);
    return step < until;
  });
}

/** Every number that decides how a run goes on, by name. */
function stateOf({ model, optimizer }: Run): Map<string, Tensor> {
  return new Map([...model.stateDict(), ...optimizer.state().tensors]);
}

function disposeRun({ model, optimizer }: Run): void {
  model.dispose();
  optimizer.dispose();
}

const RESUMED: Property = {
  name: 'training that was stopped and resumed is uninterrupted training, bit for bit',
  holds: (setting) =>
    forAll(
      setting,
      0.3,
      fc.record({
        sizes: setting.sizes,
        parts: fc.subarray([...PARTS], { minLength: 1 }),
        clipNorm: fc.constantFrom(0.01, 1, 100),
        stop: fc.integer({ min: 1, max: STEPS - 1 }),
        seed: anySeed,
      }),
      async ({ sizes, stop, ...recipe }) => {
        const config = tinyConfig(sizes);
        const [whole, first] = [begun(config, recipe, recipe.seed), begun(config, recipe, recipe.seed)];
        // Another start: whatever the file lacks will show.
        const second = begun(config, recipe, recipe.seed + 1);
        const folder = await mkdtemp(join(tmpdir(), 'cogvlm-property-'));
        try {
          await trained(whole, recipe, STEPS);
          await trained(first, recipe, stop);
          const path = join(folder, 'run.safetensors');
          await saveRun(path, first.model, first.optimizer);
          demand(await loadRun(path, second.model, second.optimizer), 'the saved run was not found');
          await trained(second, recipe, STEPS);
          demandSame([...first.losses, ...second.losses], whole.losses, 'losses');
          const resumed = stateOf(second);
          for (const [name, tensor] of stateOf(whole))
            demandSame((await resumed.get(name)?.read()) ?? [], await tensor.read(), name);
        } finally {
          await rm(folder, { recursive: true });
          [whole, first, second].forEach(disposeRun);
        }
      },
    ),
  restriction: {
    applies: ({ backend, dtype }) => dtype === 'float32' || backend === 'cpu',
    reason: 'runs are float32 whatever the setting, so wasm in float64 would repeat wasm in float32',
  },
};

export const training: readonly Property[] = [RESUMED];
