/**
 * A small CogVLM trained for some steps beside PyTorch: loss, gradient norm and learning rate of every step, and what every
 * weight has become. Model, batches, stage, loop and optimiser are the library's own.
 */
import { type CogVLM, loadCogVLM } from '../../models/cogvlm/index.ts';
import { AdamW, type ParameterGroup } from '../../nn/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import { collate, type Example, layOut, parameterGroups, type StepReport, train } from '../../train/index.ts';
import { EXACTLY, type Finding, type Findings, type Numbers } from '../finding.ts';
import { type GoldenFolder, readJson, readTruth, withOpen } from '../golden.ts';
import type { FloatDType } from '../samples.ts';
import { CURVE_LOSS, CURVE_NORM } from '../tolerances.ts';
import type { GoldenCurve } from './manifest.ts';
import { column, recipeOf, stepFindings } from './run.ts';
import { subjectOf, type Weights, weightFindings } from './weights.ts';

export async function* verifyCurve(folder: GoldenFolder, golden: GoldenCurve, dtype: FloatDType): Findings {
  const config = await readJson(folder, golden.config);
  const model = await withOpen(folder.checkpoint(golden.checkpoint), (checkpoint) =>
    loadCogVLM(config, checkpoint, { dtype }),
  );
  const examples = await readExamples(folder, golden);
  yield* batchFindings(model, golden, examples);
  const { lr_scale, weight_decay } = golden;
  const groups = parameterGroups(model, { lrScale: lr_scale, weightDecay: weight_decay });
  yield groupFinding(golden, groups);

  const before = await weightsOf(model);
  const reports = await trainOn(model, groups, golden, examples);
  const after = await weightsOf(model);
  const vitQkvBiases = namesOf(
    model,
    model.model.vision.transformer.layers.map(({ attention }) => attention.query_key_value.bias),
  );
  model.dispose();

  const lossError = farthest(golden.float32_loss, golden.loss);
  yield {
    subject: subjectOf(golden, 'losses'),
    truth: column(golden.loss),
    computed: column(reports.map(({ loss }) => loss)),
    allowance: { tolerance: CURVE_LOSS[dtype], torchError: lossError },
  };
  const normError = farthest(golden.float32_grad_norm, golden.grad_norm);
  yield* stepFindings(golden, reports, { tolerance: CURVE_NORM[dtype], torchError: normError });
  yield* weightFindings(folder, golden, { before, after, vitQkvBiases }, dtype);
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
function* batchFindings(model: CogVLM, golden: GoldenCurve, examples: readonly Example[]): Iterable<Finding> {
  const table = (rows: readonly (readonly number[])[]): Numbers => {
    return { shape: [rows.length, rows[0].length], data: rows.flat() };
  };
  for (const [i, batch] of golden.batches.entries()) {
    const chosen = batch.examples.map((at) => examples[at]);
    const rows = layOut(model, chosen, true);
    for (const field of ['ids', 'types', 'labels'] as const) {
      const subject = { ...subjectOf(golden, `batch ${i}.${field}`), of: 'layOut' };
      yield { subject, truth: table(batch[field]), computed: table(rows[field]), allowance: EXACTLY };
    }
  }
}

/** What trains, at which rate, with which decay. */
function groupFinding(golden: GoldenCurve, groups: readonly ParameterGroup[]): Finding {
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
  const broken = wrong.length === 0 ? null : wrong.join('; ');
  return { subject: { ...subjectOf(golden, 'groups'), of: 'parameterGroups' }, broken };
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
