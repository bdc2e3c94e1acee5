/**
 * A small CogVLM trained for some steps beside PyTorch: loss, gradient norm and learning rate of every step, and what every
 * weight has become. Model, batches, stage, loop and optimiser are the library's own.
 */
import { type CogVLM, loadCogVLM } from '../../models/cogvlm/index.ts';
import { AdamW, type ParameterGroup } from '../../nn/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import { collate, type Example, layOut, parameterGroups, type StepReport, train } from '../../train/index.ts';
import { type GoldenFolder, readJson, readTruth, withOpen } from '../golden.ts';
import { EXACTLY, judge, kept, type Numbers, type Row } from '../judge.ts';
import type { VerifyDType } from '../model.ts';
import { CURVE_LOSS, CURVE_NORM } from '../tolerances.ts';
import type { GoldenCurve } from './manifest.ts';
import { column, judgeSteps, recipeOf } from './run.ts';
import { judgeWeights, subjectOf, type Weights } from './weights.ts';

type OnRow = (row: Row) => void;

export async function verifyCurve(
  folder: GoldenFolder,
  golden: GoldenCurve,
  dtype: VerifyDType,
  onRow: OnRow,
): Promise<void> {
  const config = await readJson(folder, golden.config);
  const model = await withOpen(folder.checkpoint(golden.checkpoint), (checkpoint) =>
    loadCogVLM(config, checkpoint, { dtype }),
  );
  const examples = await readExamples(folder, golden);
  judgeBatches(model, golden, examples, onRow);
  const { lr_scale, weight_decay } = golden;
  const groups = parameterGroups(model, { lrScale: lr_scale, weightDecay: weight_decay });
  judgeGroups(golden, groups, onRow);

  const before = await weightsOf(model);
  const reports = await trainOn(model, groups, golden, examples);
  const after = await weightsOf(model);
  const vitQkvBiases = namesOf(
    model,
    model.model.vision.transformer.layers.map(({ attention }) => attention.query_key_value.bias),
  );
  model.dispose();

  const losses = column(reports.map(({ loss }) => loss));
  const lossError = farthest(golden.float32_loss, golden.loss);
  const limit = { tolerance: CURVE_LOSS[dtype], torchError: lossError };
  onRow(judge(subjectOf(golden, 'losses'), column(golden.loss), losses, limit));
  const normError = farthest(golden.float32_grad_norm, golden.grad_norm);
  judgeSteps(golden, reports, { tolerance: CURVE_NORM[dtype], torchError: normError }, onRow);
  await judgeWeights(folder, golden, { before, after, vitQkvBiases }, dtype, onRow);
}

function farthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
}

async function readExamples(folder: GoldenFolder, golden: GoldenCurve): Promise<readonly Example[]> {
  const { shape, data } = await withOpen(folder.safetensors(golden.pictures), (file) =>
    readTruth(file, 'pixel_values'),
  );
  const each = data.length / shape[0];
  return golden.examples.map(({ picture, prompt, answer }) => {
    const pixels = Array.prototype.slice.call(data, picture * each, (picture + 1) * each);
    return { prompt, answer, pixels: Float32Array.from(pixels) };
  });
}

/** Places, types and labels of every batch are those PyTorch was given. */
function judgeBatches(model: CogVLM, golden: GoldenCurve, examples: readonly Example[], onRow: OnRow): void {
  const table = (rows: readonly (readonly number[])[]): Numbers => {
    return { shape: [rows.length, rows[0].length], data: rows.flat() };
  };
  for (const [i, batch] of golden.batches.entries()) {
    const chosen = batch.examples.map((at) => examples[at]);
    const rows = layOut(model, chosen, true);
    for (const field of ['ids', 'types', 'labels'] as const) {
      const subject = { ...subjectOf(golden, `batch ${i}.${field}`), of: 'layOut' };
      onRow(judge(subject, table(batch[field]), table(rows[field]), EXACTLY));
    }
  }
}

/** What trains, at which rate, with which decay. */
function judgeGroups(golden: GoldenCurve, groups: readonly ParameterGroup[], onRow: OnRow): void {
  const settings = (scale: number, decay: number) => `rate × ${scale}, decay ${decay}`;
  const found = new Map<string, string>();
  for (const { parameters, lrScale = 1, weightDecay = 0 } of groups) {
    for (const name of parameters.keys()) found.set(name, settings(lrScale, weightDecay));
  }
  const wrong: string[] = [];
  for (const { parameters, lr_scale, weight_decay } of golden.groups) {
    for (const name of parameters) {
      const [got, expected] = [found.get(name) ?? 'frozen', settings(lr_scale, weight_decay)];
      if (got !== expected) wrong.push(`${name}: ${got}, expected ${expected}`);
      found.delete(name);
    }
  }
  for (const [name, got] of found) wrong.push(`${name}: ${got}, expected frozen`);
  const note = wrong.length === 0 ? null : wrong.join('; ');
  onRow(kept({ ...subjectOf(golden, 'groups'), of: 'parameterGroups' }, note));
}

async function trainOn(
  model: CogVLM,
  groups: readonly ParameterGroup[],
  golden: GoldenCurve,
  examples: readonly Example[],
): Promise<readonly StepReport[]> {
  const { dtype } = model.lm_head.weight;
  const optimizer = new AdamW(groups, { betas: golden.betas, eps: golden.eps });
  const reports: StepReport[] = [];
  const lossAt = (_: unknown, step: number): Tensor => {
    const batch = golden.batches[golden.steps[step]];
    const chosen = batch.examples.map((i) => examples[i]);
    const { input, labels } = collate(model, chosen);
    return model.loss(model.call({ ...input, pixels: input.pixels?.to(dtype) }), labels);
  };
  await train(optimizer, recipeOf(golden), lossAt, (report) => reports.push(report) > 0);
  optimizer.dispose();
  return reports;
}

async function weightsOf(model: CogVLM): Promise<Weights> {
  const weights = new Map<string, Numbers>();
  for (const [name, p] of model.namedParameters())
    weights.set(name, { shape: p.shape, data: await p.read() });
  return weights;
}

function namesOf(model: CogVLM, weights: readonly (Tensor | null)[]): ReadonlySet<string> {
  const wanted = new Set(weights);
  return new Set([...model.namedParameters()].flatMap(([name, p]) => (wanted.has(p) ? [name] : [])));
}
