/** The training loop: what trains, what stays, and that a resumed run is the uninterrupted one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CogVLM, checkpointKeys } from '../../src/models/cogvlm/index.ts';
import {
  AdamW,
  type Optimizer,
  type OptimizerState,
  type ParameterGroup,
  warmupCosine,
} from '../../src/nn/index.ts';
import { noGrad, Rng, type Tensor } from '../../src/tensor/index.ts';
import {
  answerLoss,
  answers,
  collate,
  copyLanguageToExperts,
  type Example,
  exactMatch,
  parameterGroups,
  train,
} from '../../src/train/index.ts';
import { loadRun, savedNote, saveRun } from '../../src/train/node.ts';
import { trainingConfig as config } from '../support/trainingConfig.ts';

const SIZE = 3 * 8 * 8;
const RECIPE = {
  steps: 12,
  lr: warmupCosine({ peak: 5e-3, warmupSteps: 2, totalSteps: 12 }),
  clipNorm: 1,
  seed: 3,
};

/** Two kinds of pictures, bright and dark, with a name each. */
function example(bright: boolean, rng: Rng): Example {
  const pixels = Float32Array.from({ length: SIZE }, () => (bright ? 1 : -1) + 0.1 * rng.normal());
  return { prompt: [], answer: bright ? [5, 6] : [7], pixels };
}

const lossOf = (model: CogVLM) => (rng: Rng) =>
  answerLoss(
    model,
    [0, 1, 2, 3].map((i) => example(i % 2 === 0, rng)),
  );

function visionRun(): { model: CogVLM; optimizer: AdamW } {
  const model = new CogVLM(config, { rng: new Rng(1) });
  const groups = parameterGroups(model, { lrScale: { vit: 1, adapter: 1, experts: 1 }, weightDecay: 0.05 });
  return { model, optimizer: new AdamW(groups) };
}

/** p ← p − lr·g. */
class GradientDescent implements Optimizer {
  readonly groups: readonly ParameterGroup[];
  stepCount = 0;

  constructor(groups: readonly ParameterGroup[]) {
    this.groups = groups;
  }

  step(lr: number): void {
    this.stepCount++;
    noGrad(() => {
      for (const { parameters, lrScale = 1 } of this.groups)
        for (const p of parameters.values()) if (p.grad !== null) p.assign(p.sub(p.grad.mul(lr * lrScale)));
    });
  }

  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const p of parameters.values()) p.zeroGrad();
  }

  state() {
    return { step: this.stepCount, tensors: new Map<string, Tensor>() };
  }

  checkState({ tensors }: OptimizerState): void {
    if (tensors.size > 0) throw new Error('gradient descent remembers nothing');
  }

  loadState(state: OptimizerState): void {
    this.checkState(state);
    this.stepCount = state.step;
  }

  dispose(): void {}
}

const weights = (model: CogVLM) =>
  [...model.stateDict()].map(([name, tensor]) => [name, Array.from(tensor.data)] as const);

describe('collate', () => {
  const model = new CogVLM(config);

  it('lays out bos, picture, prompt, answer, eos, and pads on the right', () => {
    const pixels = new Float32Array(SIZE);
    const { input, labels } = collate(model, [
      { prompt: [9], answer: [5, 6], pixels },
      { prompt: [], answer: [7], pixels },
    ]);
    expect(input.ids).toEqual([
      [1, 0, 0, 0, 0, 0, 0, 9, 5, 6, 2],
      [1, 0, 0, 0, 0, 0, 0, 7, 2, 0, 0],
    ]);
    expect(input.types?.[0]).toEqual([0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    expect(labels).toEqual([
      [-100, -100, -100, -100, -100, -100, -100, -100, 5, 6, 2],
      [-100, -100, -100, -100, -100, -100, -100, 7, 2, -100, -100],
    ]);
    expect(input.pixels?.shape).toEqual([2, 3, 8, 8]);
  });

  it('refuses a mixed batch and a picture of another size', () => {
    const text = { prompt: [], answer: [7] };
    expect(() => collate(model, [text, { ...text, pixels: new Float32Array(SIZE) }])).toThrow(
      '1 of 2 examples have a picture',
    );
    expect(() => collate(model, [{ ...text, pixels: new Float32Array(5) }])).toThrow(
      'picture 0 has 5 values, the model takes [3,8,8]',
    );
  });
});

describe('stages', () => {
  it('trains the parts of the stage and leaves the language model as it was', async () => {
    const { model, optimizer } = visionRun();
    const before = new Map(weights(model));
    await train(optimizer, RECIPE, lossOf(model), () => true);
    const keys = checkpointKeys(config);
    for (const [name, values] of weights(model)) {
      const isLanguage = keys.get(name).part === 'language';
      const same = values.every((v, i) => v === before.get(name)?.[i]);
      expect(same, name).toBe(isLanguage);
    }
  });

  it('starts experts as a copy of the language model', () => {
    const model = new CogVLM(config, { rng: new Rng(2) });
    copyLanguageToExperts(model);
    const state = model.stateDict();
    let compared = 0;
    for (const [name, tensor] of state) {
      if (!name.includes('.vision_expert_') && !name.includes('.vision_mlp.')) continue;
      const source = state.get(
        name.replace('.vision_expert_', '.language_expert_').replace('.vision_mlp.', '.language_mlp.'),
      );
      expect(tensor.data).toEqual(source?.data);
      compared++;
    }
    expect(compared).toBe(2 * 5);
  });
});

describe('train', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cogvlm-train-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('learns to name pictures', async () => {
    const { model, optimizer } = visionRun();
    model.requireGrad(true);
    const all = new AdamW([{ parameters: model.namedParameters() }]);
    const losses: number[] = [];
    const lr = warmupCosine({ peak: 1e-2, warmupSteps: 5, totalSteps: 60 });
    const long = { ...RECIPE, steps: 60, lr };
    await train(all, long, lossOf(model), ({ loss }) => losses.push(loss) > 0);
    expect(losses[59]).toBeLessThan(0.3 * losses[0]);
    const rng = new Rng(99);
    const examples = [true, false, true].map((bright) => example(bright, rng));
    const said = await answers(model, examples, 4);
    expect(said).toEqual([[5, 6], [7], [5, 6]]);
    expect(exactMatch(said, examples)).toBe(1);
    expect(exactMatch([[5], [7], [5, 6]], examples)).toBeCloseTo(2 / 3);
    expect(optimizer.stepCount).toBe(0);
  });

  it('stopped and resumed, goes on bit for bit', async () => {
    const whole = visionRun();
    await train(whole.optimizer, RECIPE, lossOf(whole.model), () => true);

    const path = join(folder, 'run.safetensors');
    const first = visionRun();
    expect(await loadRun(path, first.model, first.optimizer)).toBe(false);
    await train(first.optimizer, RECIPE, lossOf(first.model), ({ step }) => step < 5);
    await saveRun(path, first.model, first.optimizer);
    const second = visionRun();
    expect(await loadRun(path, second.model, second.optimizer)).toBe(true);
    expect(second.optimizer.stepCount).toBe(5);
    await train(second.optimizer, RECIPE, lossOf(second.model), () => true);
    expect(weights(second.model)).toEqual(weights(whole.model));
  });

  it('trains with any optimiser and any schedule', async () => {
    const { model } = visionRun();
    const groups = parameterGroups(model, { lrScale: { language: 1, experts: 0.5 }, weightDecay: 0 });
    const optimizer = new GradientDescent(groups);
    const rates: number[] = [];
    const recipe = { steps: 4, lr: (step: number) => 0.1 * (1 - step / 4), seed: 5 };
    const losses: number[] = [];
    await train(
      optimizer,
      recipe,
      () => lossOf(model)(new Rng(1)),
      ({ lr, loss }) => rates.push(lr) + losses.push(loss) > 0,
    );
    expect(rates).toEqual([0.1, 0.075, 0.05, 0.025].map((rate) => expect.closeTo(rate, 15)));
    expect(losses[3]).toBeLessThan(losses[0]);
    const path = join(folder, 'descent.safetensors');
    await saveRun(path, model, optimizer, 'a note');
    const [again, fresh] = [visionRun().model, new GradientDescent([])];
    expect(await loadRun(path, again, fresh)).toBe(true);
    expect(fresh.stepCount).toBe(4);
    expect(weights(again)).toEqual(weights(model));
    expect(await savedNote(path)).toBe('a note');
    expect(await savedNote(join(folder, 'nothing'))).toBeUndefined();
  });

  it('refuses a learning rate that is none', async () => {
    const { model, optimizer } = visionRun();
    for (const lr of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      await expect(train(optimizer, { ...RECIPE, lr: () => lr }, lossOf(model), () => true)).rejects.toThrow(
        `train: the learning rate is ${lr} at step 1 (seed 3), expected a number from 0 on`,
      );
    }
    expect(optimizer.stepCount).toBe(0);
  });

  it('lets signals and timers run between steps, so that a run can be stopped', async () => {
    const { model, optimizer } = visionRun();
    let stop = false;
    setTimeout(() => {
      stop = true;
    }, 0);
    await train(optimizer, RECIPE, lossOf(model), () => !stop);
    expect(optimizer.stepCount).toBeLessThan(RECIPE.steps);
  });

  /** Trains two steps, the second with a loss changed by `spoil`: what it says, and that nothing but the first was done. */
  async function expectRefused(
    spoil: (loss: Tensor, model: CogVLM) => Tensor,
    message: string,
  ): Promise<void> {
    const { model, optimizer } = visionRun();
    const [state, moments] = [model.stateDict(), () => optimizer.state()];
    const numbers = () => [...state, ...moments().tensors].map(([name, x]) => [name, Array.from(x.data)]);
    const losses = lossOf(model);
    let before: unknown;
    const lossAt = (rng: Rng, step: number) => {
      if (step === 1) before = numbers();
      return step === 1 ? spoil(losses(rng), model) : losses(rng);
    };
    await expect(train(optimizer, RECIPE, lossAt, () => true)).rejects.toThrow(message);
    expect(numbers()).toEqual(before);
    expect(optimizer.stepCount).toBe(1);
    expect([...model.namedParameters().values()].every(({ grad }) => grad === null)).toBe(true);
  }

  it('says at which step the loss was lost, before the weights are', async () => {
    const spoil = (loss: Tensor) => loss.mul(Number.NaN);
    await expectRefused(spoil, 'train: the loss became NaN at step 2 (seed 3); the weights are as before it');
  });

  it('refuses a gradient that is not finite although the loss is', async () => {
    // √0 is 0, its slope infinite.
    const spoil = (loss: Tensor, model: CogVLM) =>
      loss.detach().add(model.model.vision.boi.mul(0).sum().sqrt());
    await expectRefused(spoil, 'train: the gradient norm became NaN, with the loss');
  });
});
