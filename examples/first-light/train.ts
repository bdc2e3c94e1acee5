/**
 * `npm run train:first-light`: trains the shipped model from nothing and writes it to models/first-light.
 *
 *   1  a small language model on captions, questions and answers
 *   2  ViT and adapter, drawn to the captions' embeddings (what CLIP pretraining is to the paper's encoder)
 *   3  language model and experts (which start as its copy) on blurred hints in the places of a picture; then it is frozen
 *   4  experts, adapter and ViT on pictures
 *
 * Ctrl-C saves the run; the same command goes on from there. `--fresh` starts again, `--steps N` shortens stage 4.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { BACKEND_NAMES, isBackendName } from '../../src/kernels/registry.ts';
import { CogVLM, parseConfig } from '../../src/models/cogvlm/index.ts';
import { readTokenizer } from '../../src/models/cogvlm/node.ts';
import { AdamW, warmupCosine } from '../../src/nn/index.ts';
import { getBackend, noGrad, scope, setBackend } from '../../src/tensor/index.ts';
import {
  answerLoss,
  copyLanguageToExperts,
  parameterGroups,
  type StageParts,
  type StepReport,
  train,
} from '../../src/train/index.ts';
import { loadRun, saveRun } from '../../src/train/node.ts';
import { Alignment } from './alignment.ts';
import { buildFolder, loadDataset } from './dataset.ts';
import { captionScore, nearestCaptionScore, percent } from './exam.ts';
import { exportModel, type StageRecord } from './export.ts';
import { hintLoss } from './hints.ts';
import { initialize } from './initialize.ts';
import {
  alignmentBatch,
  captionIds,
  examPixels,
  hintBatch,
  languageBatch,
  makeLessons,
  shrunk,
  visionBatch,
} from './lessons.ts';
import { alignmentStage, hintStage, languageStage, modelConfig, type Stage, visionStage } from './recipe.ts';

const { values: options } = parseArgs({
  options: {
    fresh: { type: 'boolean', default: false },
    steps: { type: 'string' },
    backend: { type: 'string', default: 'wasm' },
  },
});

/** Steps between two saves and two looks at held-out pictures. */
const CHECK_EVERY = 250;

let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
  console.log('\nstopping after this step; the same command goes on from here');
});

const tokenizer = await readTokenizer(join(buildFolder, 'tokenizer'));
const dataset = loadDataset();
const size = modelConfig.vision_config.image_size;
const lessons = makeLessons(tokenizer, shrunk(dataset.train, size));
const heldOut = makeLessons(tokenizer, dataset.heldOut);
if (!isBackendName(options.backend)) {
  throw new Error(`--backend is ${options.backend}, expected one of ${BACKEND_NAMES.join(', ')}`);
}
const visionSteps = Number(options.steps ?? visionStage.steps);
if (!Number.isSafeInteger(visionSteps) || visionSteps < 1) {
  throw new Error(`--steps is ${options.steps}, expected a whole number from 1 on`);
}
await setBackend(options.backend);
console.log(`${getBackend().describe()}`);
console.log(`${dataset.concepts.length} concepts, ${lessons.length} pictures, ${heldOut.length} held out`);

const vocabSize = Object.keys((tokenizer.json.model as { vocab: object }).vocab).length;
const config = parseConfig({ ...modelConfig, vocab_size: vocabSize });
const model = new CogVLM(config);
initialize(model);

interface StageRun {
  readonly name: string;
  readonly stage: Stage;
  readonly parts: StageParts;
  readonly lossAt: Parameters<typeof train>[2];
  readonly check?: () => Promise<string>;
}

/** Runs a stage to its end, or until Ctrl-C; goes on from its saved state. */
async function runStage({ name, stage, parts, lossAt, check }: StageRun): Promise<StageRecord> {
  const path = join(buildFolder, `${name}.run.safetensors`);
  const optimizer = new AdamW(parameterGroups(model, parts), { betas: stage.betas });
  if (await loadRun(path, model, optimizer)) console.log(`${name}: goes on from step ${optimizer.stepCount}`);
  const lr = warmupCosine({
    peak: stage.peakLr,
    warmupSteps: stage.warmupSteps,
    totalSteps: stage.steps,
    finalRatio: stage.finalRatio,
  });
  const bar = new SingleBar({
    format: `${name} [{bar}] {value}/{total} loss {loss} {seconds} s/step, {eta_formatted} left`,
    noTTYOutput: false,
  });
  const started = performance.now();
  const first = optimizer.stepCount;
  let loss = Number.NaN;
  if (first < stage.steps) bar.start(stage.steps, first, { loss: '-', seconds: '-' });
  const onStep = async (report: StepReport): Promise<boolean> => {
    loss = Number.isNaN(loss) ? report.loss : 0.98 * loss + 0.02 * report.loss;
    const seconds = ((performance.now() - started) / 1000 / (report.step - first)).toFixed(3);
    bar.update(report.step, { loss: loss.toFixed(3), seconds });
    if (report.step % CHECK_EVERY === 0 || report.step === stage.steps || interrupted) {
      await saveRun(path, model, optimizer);
      const checked = check === undefined || interrupted ? '' : `, ${await check()}`;
      console.log(`\n${name} step ${report.step}: loss ${loss.toFixed(4)}, ${seconds} s/step${checked}`);
    }
    return !interrupted;
  };
  const { steps: total, clipNorm, seed } = stage;
  await train(optimizer, { steps: total, lr, clipNorm, seed }, lossAt, onStep);
  bar.stop();
  if (optimizer.stepCount < stage.steps) process.exit(130);
  const steps = optimizer.stepCount - first;
  return {
    name,
    steps: stage.steps,
    loss,
    secondsPerStep: steps === 0 ? null : (performance.now() - started) / 1000 / steps,
  };
}

if (options.fresh) {
  for (const stage of ['language', 'alignment', 'hints', 'vision'])
    rmSync(join(buildFolder, `${stage}.run.safetensors`), { force: true });
}
const language = await runStage({
  name: 'language',
  stage: languageStage,
  parts: { lrScale: { language: 1 }, weightDecay: languageStage.weightDecay },
  lossAt: (rng) => answerLoss(model, languageBatch(lessons, rng)),
});

const pictures = lessons.map(({ sample }) => sample);
const encoder = new Alignment(model, captionIds(lessons, dataset.concepts.length));
const alignment = await runStage({
  name: 'alignment',
  stage: alignmentStage,
  parts: { lrScale: { adapter: 1, vit: 1 }, weightDecay: alignmentStage.weightDecay },
  lossAt: (rng, step) => encoder.loss(alignmentBatch(pictures, size, step, rng)),
  check: async () =>
    `nearest caption of held-out pictures ${percent(await nearestCaptionScore(encoder, heldOut))}`,
});

if (!existsSync(join(buildFolder, 'hints.run.safetensors'))) {
  scope(() => encoder.matchLengths(lessons.slice(0, 256).map((lesson) => examPixels(lesson, size))));
  copyLanguageToExperts(model);
}
const captionMeans = scope(() => noGrad(() => encoder.captionMeans())).keep();
const hints = await runStage({
  name: 'hints',
  stage: hintStage,
  parts: {
    lrScale: { language: 1, experts: 1 },
    weightDecay: hintStage.weightDecay,
    frozen: ['model.embed_tokens.weight'],
  },
  lossAt: (rng) => hintLoss(model, captionMeans, hintBatch(lessons, rng), rng),
  check: async () => `held-out captions ${percent(await captionScore(model, heldOut))}`,
});

const vision = await runStage({
  name: 'vision',
  stage: { ...visionStage, steps: visionSteps },
  parts: visionStage,
  lossAt: (rng, step) => answerLoss(model, visionBatch(lessons, size, step, rng)),
  check: async () => `held-out captions ${percent(await captionScore(model, heldOut))}`,
});
await exportModel(model, tokenizer, heldOut, [language, alignment, hints, vision]);
