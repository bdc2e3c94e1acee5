/** Stages: their order, stopping anywhere and going on, and what is refused. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CogVLM } from '../../src/models/cogvlm/index.ts';
import { AdamW } from '../../src/nn/index.ts';
import { noGrad, Rng } from '../../src/tensor/index.ts';
import { answerLoss, parameterGroups } from '../../src/train/index.ts';
import { saveRun } from '../../src/train/node.ts';
import { type RunOptions, runStages, type Stage } from '../../src/train/runStages.ts';
import { trainingConfig } from '../support/trainingConfig.ts';

const STEPS = 4;

/** Two stages: the language model, then the experts, which begin at a tenth of their weights. */
function run() {
  const model = new CogVLM(trainingConfig, { rng: new Rng(1) });
  const begun: string[] = [];
  const stage = (name: 'language' | 'experts', seed: number): Stage => ({
    name,
    config: { steps: STEPS, lr: () => 1e-2, clipNorm: 1, seed },
    optimizer: () => new AdamW(parameterGroups(model, { lrScale: { [name]: 1 }, weightDecay: 0.1 })),
    begin: () => void begun.push(name),
    lossAt: (rng) => {
      const pixels = Float32Array.from({ length: 3 * 8 * 8 }, () => rng.normal());
      return answerLoss(model, [{ prompt: [], answer: [3 + rng.integer(17)], pixels }]);
    },
  });
  const experts = stage('experts', 8);
  const stages = [
    stage('language', 7),
    {
      ...experts,
      begin: () => {
        begun.push('experts');
        noGrad(() => {
          for (const { parameters } of parameterGroups(model, { lrScale: { experts: 1 }, weightDecay: 0 }))
            for (const p of parameters.values()) p.assign(p.mul(0.1));
        });
      },
    },
  ];
  return { model, stages, begun };
}

const numbers = (model: CogVLM) => [...model.stateDict()].map(([name, x]) => [name, Array.from(x.data)]);

describe('runStages', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cogvlm-stages-'));
    path = join(folder, 'run.safetensors');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Runs until `steps` steps of all stages are done, as Ctrl-C would stop it. */
  async function runUntil(steps: number, options: Partial<RunOptions> = {}) {
    const { model, stages, begun } = run();
    const interrupt = new AbortController();
    const seen: string[] = [];
    const onStep: RunOptions['onStep'] = ({ stage, step }) => {
      seen.push(`${stage} ${step}`);
      if (seen.length === steps) interrupt.abort();
    };
    const result = await runStages(model, stages, { path, signal: interrupt.signal, onStep, ...options });
    return { result, seen, begun, weights: numbers(model) };
  }

  it('goes through the stages in their order, each begun once', async () => {
    const { result, seen, begun } = await runUntil(Number.POSITIVE_INFINITY);
    expect(seen).toEqual(
      ['language', 'experts'].flatMap((stage) => [1, 2, 3, 4].map((n) => `${stage} ${n}`)),
    );
    expect(begun).toEqual(['language', 'experts']);
    expect(result.finished).toBe(true);
    expect(result.stages.map(({ name, steps }) => `${name} ${steps}`)).toEqual(['language 4', 'experts 4']);
    expect(await readdir(folder)).toEqual(['run.safetensors']);
  });

  it('stopped after any step and taken up, does what an uninterrupted run does, its record included', async () => {
    const whole = await runUntil(Number.POSITIVE_INFINITY);
    for (const stop of [1, STEPS, STEPS + 2, 2 * STEPS]) {
      const first = await runUntil(stop, { fresh: true });
      expect(first.result.finished).toBe(stop === 2 * STEPS);
      const second = await runUntil(Number.POSITIVE_INFINITY);
      expect([...first.seen, ...second.seen]).toEqual(whole.seen);
      expect([...first.begun, ...second.begun]).toEqual(whole.begun);
      expect(second.result).toEqual(whole.result);
      expect(second.weights).toEqual(whole.weights);
    }
  });

  it('saves every so many steps, and goes on from there after a crash', async () => {
    const saves: number[] = [];
    const onSave: RunOptions['onSave'] = ({ step }) => void saves.push(step);
    const onStep: RunOptions['onStep'] = ({ step }) => {
      if (step === 4) throw new Error('power cut');
    };
    await expect(runUntil(99, { saveEvery: 2, onSave, onStep })).rejects.toThrow('power cut');
    expect(saves).toEqual([2]);
    const { seen } = await runUntil(Number.POSITIVE_INFINITY);
    expect(seen[0]).toBe('language 3');
  });

  it('does nothing more where all is done, and begins anew where told to', async () => {
    const { result } = await runUntil(Number.POSITIVE_INFINITY);
    const again = await runUntil(Number.POSITIVE_INFINITY);
    expect(again.seen).toEqual([]);
    expect(again.result).toEqual(result);
    expect((await runUntil(1, { fresh: true })).seen).toEqual(['language 1']);
  });

  it('refuses a file of other stages, and one that is no run of stages', async () => {
    await runUntil(5);
    const { model, stages } = run();
    await expect(runStages(model, stages.slice(1), { path })).rejects.toThrow(
      `${path}: stage "experts" does not follow in the stages experts`,
    );
    await saveRun(path, model, new AdamW([]));
    await expect(runStages(model, stages, { path })).rejects.toThrow(`${path}: note is no JSON`);
    await saveRun(path, model, new AdamW([]), '{"stage":"language","done":[]}');
    await expect(runStages(model, stages, { path })).rejects.toThrow(
      `${path}: note.meanLoss is undefined, expected a number`,
    );
    await expect(runStages(model, [stages[0], stages[0]], { path })).rejects.toThrow(
      'runStages(stages): two are named language',
    );
  });
});
