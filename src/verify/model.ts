/**
 * A model against its golden folder: every tensor of truth.safetensors is computed and judged.
 *
 *   pictures        decoded and preprocessed, against the pixel values PIL and torchvision made of them
 *   single sample   position ids, expert mask, act.<module>, logits, loss, grad.<parameter>
 *   text_only       bos + text, no picture: the bare language model
 *   batch           three samples, left-padded
 *   generate        greedy with the KV cache: tokens and the logits of every step
 *   checkpoint-bf16 is checkpoint rounded to the nearest bf16
 */
import { roundToBf16, widenBf16 } from '../data/index.ts';
import { type CogVLM, generate, loadCogVLM, positionIds, visionExpertMask } from '../models/cogvlm/index.ts';
import { withTap } from '../nn/index.ts';
import { noGrad, scope, Tensor } from '../tensor/index.ts';
import {
  type Allowance,
  EXACTLY,
  type Finding,
  type Findings,
  NOT_COMPUTED,
  type Numbers,
  type Truth,
} from './finding.ts';
import {
  type GoldenCase,
  type GoldenFolder,
  readCase,
  readJson,
  readTorchErrors,
  readTruth,
  whileOpen,
  withOpen,
} from './golden.ts';
import { pictureTensor, verifyPictures } from './pictures.ts';
import type { Subject } from './row.ts';
import type { FloatDType } from './samples.ts';
import { EXACT, modelTolerance } from './tolerances.ts';

interface Run {
  readonly model: CogVLM;
  readonly golden: GoldenCase;
  /** [n, 3, g·p, g·p] as PIL and torchvision made them. */
  readonly pixels: Truth;
  readonly dtype: FloatDType;
}

/** Results by the names of the golden tensors. */
type Results = Map<string, Numbers>;

const INTEGER_TENSORS = /(^|\.)(position_ids|vision_expert_mask)$/;

export async function* verifyModel(folder: GoldenFolder, dtype: FloatDType): Findings {
  const golden = await readCase(folder);
  const pixels = await withOpen(folder.safetensors('inputs.safetensors'), (file) =>
    readTruth(file, 'pixel_values'),
  );
  yield* verifyPictures(folder, golden.images, pixels);
  const config = await readJson(folder, 'checkpoint/config.json');
  const model = await withOpen(folder.checkpoint('checkpoint'), (checkpoint) =>
    loadCogVLM(config, checkpoint, { dtype }),
  );

  const run: Run = { model, golden, pixels, dtype };
  const results: Results = new Map();
  await scope(() => singleSample(run, results));
  await scope(() => textOnly(run, results));
  await scope(() => paddedBatch(run, results));
  const tokens = await generation(run, results);
  model.dispose();

  const torchErrors = await readTorchErrors(folder);
  yield* whileOpen(folder.safetensors('truth.safetensors'), async function* (file): Findings {
    for (const name of file.tensors.keys()) {
      const truth = await readTruth(file, name);
      const allowance = allowanceOf(truth, torchErrors[name] ?? null, run);
      yield { subject: subjectOf(name), truth, computed: results.get(name) ?? NOT_COMPUTED, allowance };
    }
  });
  const shape = [golden.greedy_tokens.length];
  yield {
    subject: { name: 'generate.tokens', of: 'generate', check: 'value' },
    truth: { shape, data: golden.greedy_tokens },
    computed: { shape, data: tokens },
    allowance: EXACTLY,
  };
  if ((await folder.list()).includes('checkpoint-bf16')) yield await roundedCheckpoint(folder);
}

/** act.<module> and grad.<parameter> are about that module or parameter; the rest about itself. */
function subjectOf(name: string): Subject {
  const of = name.replace(/^(act|grad)\./, '');
  return { name, of, check: name.startsWith('grad.') ? 'gradient' : 'value' };
}

function allowanceOf({ name, data }: Truth, torchError: number | null, { golden, dtype }: Run): Allowance {
  const tolerance = INTEGER_TENSORS.test(name) ? EXACT : modelTolerance(dtype, data);
  if (!name.startsWith('batch.')) return { tolerance, torchError };
  const mask = golden.batch.attention_mask.flat();
  const perPlace = data.length / mask.length;
  return { tolerance, torchError, counts: (i) => mask[Math.floor(i / perPlace)] === 1 };
}

async function computed(x: Tensor): Promise<Numbers> {
  return { shape: x.shape, data: await x.read() };
}

function setRows(results: Results, name: string, rows: readonly (readonly (number | boolean)[])[]): void {
  results.set(name, { shape: [rows.length, rows[0].length], data: rows.flat().map(Number) });
}

async function singleSample(run: Run, results: Results): Promise<void> {
  const { model, golden } = run;
  const types = golden.token_type_ids;
  setRows(results, 'position_ids', [positionIds(types)]);
  setRows(results, 'vision_expert_mask', [visionExpertMask(types)]);

  const outputs = new Map<string, Tensor>();
  const tap = (path: string, output: unknown) =>
    output instanceof Tensor && outputs.set(`act.${path}`, output);
  const input = {
    ids: [golden.input_ids],
    types: [types],
    pixels: pictureTensor(run.pixels, 0, 1, run.dtype),
  };
  const logits = withTap(tap, () => model.call(input));
  const loss = model.loss(logits, [golden.labels]);
  model.zeroGrad();
  loss.backward();

  for (const [name, output] of outputs) results.set(name, await computed(output));
  results.set('logits', await computed(logits));
  results.set('loss', { shape: [1], data: await loss.read() });
  for (const [name, parameter] of model.namedParameters()) {
    const grad = parameter.grad ?? Tensor.zeros(parameter.shape, { dtype: parameter.dtype });
    results.set(`grad.${name}`, await computed(grad));
  }
  model.zeroGrad();
}

async function textOnly({ model, golden }: Run, results: Results): Promise<void> {
  const ids = [[golden.input_ids[0], ...golden.texts[0]]];
  results.set('text_only.logits', await computed(noGrad(() => model.call({ ids }))));
}

async function paddedBatch(run: Run, results: Results): Promise<void> {
  const { input_ids: ids, token_type_ids: types, attention_mask: attentionMask } = run.golden.batch;
  setRows(
    results,
    'batch.position_ids',
    types.map((row, b) => positionIds(row, attentionMask[b])),
  );
  setRows(results, 'batch.vision_expert_mask', types.map(visionExpertMask));
  const pixels = pictureTensor(run.pixels, 0, run.pixels.shape[0], run.dtype);
  const logits = noGrad(() => run.model.call({ ids, types, attentionMask, pixels }));
  results.set('batch.logits', await computed(logits));
}

async function generation(run: Run, results: Results): Promise<number[]> {
  const { model, golden } = run;
  const prompt = {
    ids: [golden.input_ids],
    types: [golden.token_type_ids],
    pixels: pictureTensor(run.pixels, 0, 1, run.dtype),
  };
  const options = { maxNewTokens: golden.greedy_tokens.length, stopTokens: [] };
  const tokens: number[] = [];
  const logits: number[] = [];
  for await (const step of generate(model, prompt, options, true)) {
    tokens.push(step.tokens[0]);
    logits.push(...(step.logits ?? []));
  }
  prompt.pixels.dispose();
  results.set('generate.step_logits', { shape: [tokens.length, model.config.vocabSize], data: logits });
  return tokens;
}

/** bf16 weights are read exactly, and rounding float32 to them is exact too. */
async function roundedCheckpoint(folder: GoldenFolder): Promise<Finding> {
  const truth: number[] = [];
  const rounded: number[] = [];
  await withOpen(folder.checkpoint('checkpoint'), (full) =>
    withOpen(folder.checkpoint('checkpoint-bf16'), async (half) => {
      for (const name of half.tensors.keys()) {
        const values = Float32Array.from((await full.read(name)).data);
        for (const value of widenBf16(roundToBf16(values))) rounded.push(value);
        for (const value of (await half.read(name)).data) truth.push(value);
      }
    }),
  );
  const shape = [truth.length];
  return {
    subject: { name: 'checkpoint-bf16', of: 'roundToBf16', check: 'value' },
    truth: { shape, data: truth },
    computed: { shape, data: rounded },
    allowance: EXACTLY,
  };
}
