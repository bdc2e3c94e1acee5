/**
 * Training in named stages (Node only). One file holds the state of the whole run: which stage it is in, weights, optimiser,
 * step. It is replaced as a whole, so a run that was stopped, by Ctrl-C or a crash, goes on from the last save, bit for bit.
 */
import { rm } from 'node:fs/promises';
import type { CogVLM } from '../models/cogvlm/index.ts';
import type { Optimizer } from '../nn/index.ts';
import { type LossAt, type StepReport, type TrainConfig, train } from './loop.ts';
import { loadRun, SavedRunError, savedNote, saveRun } from './savedRun.ts';

/** One stage of training: its data, its optimiser and its length. */
export interface Stage {
  readonly name: string;
  readonly config: TrainConfig;
  /** Decides what trains: `parameterGroups` freezes the rest. Called when the stage is begun or taken up. */
  readonly optimizer: (model: CogVLM) => Optimizer;
  readonly lossAt: LossAt;
  /** What happens to the model before the first step, once. */
  readonly begin?: (model: CogVLM) => void | Promise<void>;
}

/** A stage that is done. */
export interface StageRecord {
  readonly name: string;
  readonly steps: number;
  /** Running mean over some fifty steps at its end. */
  readonly loss: number;
}

/** What is told of one step of a stage. */
export interface StageReport extends StepReport {
  readonly stage: string;
  /** Of the whole stage. */
  readonly steps: number;
  /** Running mean over some fifty steps. */
  readonly meanLoss: number;
}

export interface RunOptions {
  /** The file of the run's state. */
  readonly path: string;
  /** Forget the run that is there; default false. */
  readonly fresh?: boolean;
  /** Steps between two saves; default 250. A stage's last step is always saved. */
  readonly saveEvery?: number;
  /** Stops the run after the step it is in, saved. */
  readonly signal?: { readonly aborted: boolean };
  readonly onStep?: (report: StageReport) => void;
  readonly onSave?: (report: StageReport) => void | Promise<void>;
}

export interface RunResult {
  /** Whether all stages are done. */
  readonly finished: boolean;
  /** Those that are. */
  readonly stages: readonly StageRecord[];
}

/** What is noted beside the numbers. */
interface Progress {
  readonly stage: string;
  readonly meanLoss: number;
  readonly done: readonly StageRecord[];
}

/** Weight of a step in the running mean. */
const MEAN_SHARE = 0.02;

/**
 * Trains `model` through all stages, from where the run at `path` stands.
 * @throws SavedRunError, SafetensorsError, StateDictError where what is at `path` is damaged or no run of these stages
 */
export async function runStages(
  model: CogVLM,
  stages: readonly Stage[],
  options: RunOptions,
): Promise<RunResult> {
  const names = stages.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`runStages(stages): two are named ${twice}`);
  const { path, fresh = false, signal } = options;
  if (fresh) await rm(path, { force: true });
  let saved = await savedProgress(path, names);
  const done = [...(saved?.done ?? [])];
  for (const stage of stages.slice(done.length)) {
    if (signal?.aborted) return { finished: false, stages: done };
    const record = await runStage(model, stage, options, done, saved);
    saved = undefined;
    if (record === undefined) return { finished: false, stages: done };
    done.push(record);
  }
  return { finished: true, stages: done };
}

/** @returns undefined where it was stopped */
async function runStage(
  model: CogVLM,
  { name, config, optimizer: made, lossAt, begin }: Stage,
  { path, saveEvery = 250, signal, onStep, onSave }: RunOptions,
  done: readonly StageRecord[],
  saved: Progress | undefined,
): Promise<StageRecord | undefined> {
  if (saved === undefined) await begin?.(model);
  const optimizer = made(model);
  try {
    if (saved !== undefined) await loadRun(path, model, optimizer);
    let meanLoss = saved?.meanLoss;
    await train(optimizer, config, lossAt, async (report) => {
      meanLoss =
        meanLoss === undefined ? report.loss : (1 - MEAN_SHARE) * meanLoss + MEAN_SHARE * report.loss;
      const whole = { ...report, stage: name, steps: config.steps, meanLoss };
      onStep?.(whole);
      const stopped = signal?.aborted ?? false;
      if (report.step % saveEvery === 0 || report.step === config.steps || stopped) {
        const progress: Progress = { stage: name, meanLoss, done };
        await saveRun(path, model, optimizer, JSON.stringify(progress));
        await onSave?.(whole);
      }
      return !stopped;
    });
    if (optimizer.stepCount < config.steps) return undefined;
    return { name, steps: config.steps, loss: meanLoss ?? Number.NaN };
  } finally {
    optimizer.dispose();
  }
}

/** Where the run at `path` stands; undefined where there is none. */
async function savedProgress(path: string, names: readonly string[]): Promise<Progress | undefined> {
  const note = await savedNote(path);
  if (note === undefined) return undefined;
  const refused = (reason: string) => new SavedRunError(`${path}: ${reason}`);
  let progress: Partial<Progress> | null;
  try {
    progress = JSON.parse(note);
  } catch {
    throw refused('note is no JSON');
  }
  const { stage, meanLoss, done } = progress ?? {};
  if (typeof meanLoss !== 'number') throw refused(`note.meanLoss is ${meanLoss}, expected a number`);
  const isDone = Array.isArray(done) && done.every((record, i) => record?.name === names[i]);
  if (!isDone || typeof stage !== 'string' || names.indexOf(stage) !== done.length) {
    throw refused(`stage ${JSON.stringify(stage)} does not follow in the stages ${names.join(', ')}`);
  }
  return { stage, meanLoss, done };
}
