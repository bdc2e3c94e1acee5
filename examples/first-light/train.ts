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
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { CogVLM, getBackend, initializeWeights, parseConfig, Rng, setBackend } from 'cogvlm-ts';
import { BACKEND_NAMES, isBackendName } from 'cogvlm-ts/kernels';
import { readTokenizer, runStages, type StageReport } from 'cogvlm-ts/node';
import { buildFolder, loadDataset } from './dataset.ts';
import { exportModel } from './export.ts';
import { makeLessons, shrunk } from './lessons.ts';
import { initialization, modelConfig, startsOf, visionStage } from './recipe.ts';
import { makeStages } from './stages.ts';

const { values: options } = parseArgs({
  options: {
    fresh: { type: 'boolean', default: false },
    steps: { type: 'string' },
    backend: { type: 'string', default: 'wasm' },
  },
});
if (!isBackendName(options.backend)) {
  throw new Error(`--backend is ${options.backend}, expected one of ${BACKEND_NAMES.join(', ')}`);
}
const visionSteps = Number(options.steps ?? visionStage.steps);
if (!Number.isSafeInteger(visionSteps) || visionSteps < 1) {
  throw new Error(`--steps is ${options.steps}, expected a whole number from 1 on`);
}

const interrupt = new AbortController();
process.once('SIGINT', () => {
  interrupt.abort();
  console.log('\nstopping after this step; the same command goes on from here');
});

const tokenizer = await readTokenizer(join(buildFolder, 'tokenizer'));
const dataset = loadDataset();
const lessons = makeLessons(tokenizer, shrunk(dataset.train, modelConfig.vision_config.image_size));
const heldOut = makeLessons(tokenizer, dataset.heldOut);
await setBackend(options.backend);
console.log(`${getBackend().describe()}`);
console.log(`${dataset.concepts.length} concepts, ${lessons.length} pictures, ${heldOut.length} held out`);

const vocabSize = Object.keys((tokenizer.json.model as { vocab: object }).vocab).length;
const config = parseConfig({ ...modelConfig, vocab_size: vocabSize });
const model = new CogVLM(config);
initializeWeights(model, startsOf(config), new Rng(initialization.seed));

const stages = makeStages(model, { lessons, heldOut, concepts: dataset.concepts.length, visionSteps });
const bar = new SingleBar({
  format: '{stage} [{bar}] {value}/{total} loss {loss} {seconds} s/step, {eta_formatted} left',
  noTTYOutput: false,
});

/** When the stage in hand was begun or taken up, and the steps that were done then. */
let begun = { stage: '', step: 0, at: 0 };
const secondsPerStep: Record<string, number> = {};

function onStep({ stage, step, steps, meanLoss }: StageReport): void {
  const now = performance.now();
  if (begun.stage !== stage) {
    // The first step of each stage is not timed: it also makes the optimiser's state.
    begun = { stage, step, at: now };
    bar.start(steps, step, { stage, loss: '-', seconds: '-' });
    return;
  }
  secondsPerStep[stage] = (now - begun.at) / 1000 / (step - begun.step);
  bar.update(step, { stage, loss: meanLoss.toFixed(3), seconds: secondsPerStep[stage].toFixed(3) });
}

async function onSave({ stage, step, steps, meanLoss }: StageReport): Promise<void> {
  const checked = interrupt.signal.aborted
    ? undefined
    : await stages.find(({ name }) => name === stage)?.check?.();
  const text = checked === undefined ? '' : `, ${checked}`;
  console.log(`\n${stage} step ${step}: loss ${meanLoss.toFixed(4)}${text}`);
  if (step === steps) bar.stop();
}

const run = await runStages(model, stages, {
  path: join(buildFolder, 'run.safetensors'),
  fresh: options.fresh,
  signal: interrupt.signal,
  onStep,
  onSave,
});
bar.stop();
if (!run.finished) process.exit(130);
const records = run.stages.map((stage) => ({ ...stage, secondsPerStep: secondsPerStep[stage.name] ?? null }));
await exportModel(model, tokenizer, heldOut, records);
