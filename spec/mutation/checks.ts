/**
 * What a mutant has to pass, by name:
 *
 *   ops:softmax,max           these records against PyTorch, differences, error texts (float64)
 *   ops32:softmax             the same in float32: beside PyTorch alone, so that it is done in no time
 *   definitions:softmax,gelu  what fused ops are written out, beside them (float64)
 *   functions:einsum          records of composed functions, as ops
 *   modules:Linear            the same of src/nn
 *   logits:cogvlm             what a golden model answers to its single sample
 *   trace:cogvlm              every module of a golden model alone, its gradient by its input included
 *   model:cogvlm              a golden model as a whole: activations, gradients by every weight, padding, generation
 *   optimizer                 AdamW, clipping and schedule beside PyTorch's
 *   property:cache            properties of random models (float64, a few cases) whose sentences hold this word
 *   spec/….spec.ts            a spec
 *   spec/….spec.ts:softmax    of a spec that has a part for each op, these
 *
 * The fixtures are read once and stay in memory.
 */
import { join } from 'node:path';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import { loadCogVLM } from '../../src/models/cogvlm/index.ts';
import { noGrad, scope, Tensor } from '../../src/tensor/index.ts';
import { definitionFindings } from '../../src/verify/definitions.ts';
import type { Findings } from '../../src/verify/finding.ts';
import { verifyFunctions, verifyModules, verifyOps } from '../../src/verify/functions.ts';
import { type GoldenFolder, readCase, readJson, readTruth } from '../../src/verify/golden.ts';
import { judge } from '../../src/verify/judge.ts';
import { verifyModel } from '../../src/verify/model.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import type { Row } from '../../src/verify/row.ts';
import { modelTolerance } from '../../src/verify/tolerances.ts';
import { traceModel } from '../../src/verify/trace/trace.ts';
import { readTrainingManifest } from '../../src/verify/training/manifest.ts';
import { verifyOptimizer } from '../../src/verify/training/optimizer.ts';
import { PROPERTIES, settings } from '../properties/index.ts';
import { runSpec } from './standIn.ts';

const GOLDENS = join(import.meta.dirname, '../goldens');

/** Remembers what was read. Nobody closes what others read from, too. */
function remembering(folder: GoldenFolder): GoldenFolder {
  const once = <R>(read: (name: string) => Promise<R>) => {
    const known = new Map<string, Promise<R>>();
    return (name: string): Promise<R> => {
      const found = known.get(name) ?? read(name);
      known.set(name, found);
      return found;
    };
  };
  return {
    label: folder.label,
    list: folder.list,
    bytes: once(folder.bytes),
    safetensors: once(async (name) => openSafetensors(bytesSource(await folder.bytes(name), name))),
    checkpoint: once(async (name) => Object.assign(await folder.checkpoint(name), { close: async () => {} })),
  };
}

const folders = new Map<string, GoldenFolder>();

function golden(name: string): GoldenFolder {
  const folder = folders.get(name) ?? remembering(goldenFolder(join(GOLDENS, name)));
  folders.set(name, folder);
  return folder;
}

/** Stops at the first row that is not OK. */
function demandOk({ status, name, note }: Row): void {
  if (status !== 'OK') throw new Error(`${name}: ${status} ${note}`);
}

async function demandAll(findings: Findings): Promise<void> {
  for await (const finding of findings) demandOk(judge(finding));
}

async function checkLogits(folder: GoldenFolder): Promise<void> {
  const { input_ids, token_type_ids } = await readCase(folder);
  const config = await readJson(folder, 'checkpoint/config.json');
  const model = await loadCogVLM(config, await folder.checkpoint('checkpoint'), { dtype: 'float64' });
  const pixels = await readTruth(await folder.safetensors('inputs.safetensors'), 'pixel_values');
  const truth = await readTruth(await folder.safetensors('truth.safetensors'), 'logits');
  await scope(async () => {
    const picture = Tensor.fromArray(pixels.data, pixels.shape, { dtype: 'float64' }).slice(0, 0, 1);
    const input = { ids: [input_ids], types: [token_type_ids], pixels: picture };
    const logits = noGrad(() => model.call(input));
    const tolerance = modelTolerance('float64', truth.data);
    const subject = { name: 'logits', of: 'logits', check: 'value' } as const;
    const computed = { shape: logits.shape, data: logits.data };
    demandOk(judge({ subject, truth, computed, allowance: { tolerance } }));
  });
}

/** Random cases for each property: where a mutant shows, it mostly shows in the first. */
const RUNS = 6;

async function checkProperties(word: string): Promise<void> {
  const setting = settings('quick').find(({ name }) => name === 'cpu, float64');
  const properties = PROPERTIES.filter(({ name }) => name.includes(word));
  if (setting === undefined || properties.length === 0) throw new Error(`no property says ${word}`);
  for (const property of properties) await property.holds({ ...setting, runs: RUNS });
}

const OPTIMIZER_DTYPES = ['float64', 'float32'] as const;

/** @throws Error saying what failed first */
export async function check(name: string): Promise<void> {
  const [kind, rest] = name.split(':');
  const wanted = (of: string) => rest.split(',').includes(of);
  switch (kind) {
    case 'ops':
      return demandAll(verifyOps(golden('ops'), 'float64', wanted));
    case 'ops32':
      return demandAll(verifyOps(golden('ops'), 'float32', wanted));
    case 'definitions':
      for (const finding of definitionFindings(wanted)) demandOk(judge(finding));
      return;
    case 'functions':
      return demandAll(verifyFunctions(golden('functions'), 'float64', wanted));
    case 'modules':
      return demandAll(verifyModules(golden('modules'), 'float64', wanted));
    case 'logits':
      return checkLogits(golden(rest));
    case 'property':
      return checkProperties(rest);
    case 'trace':
      return (await traceModel(golden(rest), 'float64')).forEach(demandOk);
    case 'model':
      return demandAll(verifyModel(golden(rest), 'float64'));
    case 'optimizer': {
      const { optimizer } = await readTrainingManifest(golden('training'));
      for (const dtype of OPTIMIZER_DTYPES)
        for (const one of optimizer) await demandAll(verifyOptimizer(golden('training'), one, dtype));
      return;
    }
    default:
      return runSpec(kind, rest === undefined ? undefined : wanted);
  }
}
