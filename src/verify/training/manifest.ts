/** manifest.json of a training folder: what was trained, how, and what PyTorch's float64 run says to it. */
import { GoldenError, type GoldenFolder, readJson } from '../golden.ts';

export interface GoldenSchedule {
  readonly peak: number;
  readonly warmup_steps: number;
  readonly total_steps: number;
  readonly final_ratio: number;
}

export interface GoldenGroup {
  readonly lr_scale: number;
  readonly weight_decay: number;
  readonly parameters: readonly string[];
}

/** What the optimiser's runs and the curves have in common; `lr` and `grad_norm` have one number per step. */
export interface GoldenRun {
  readonly name: string;
  /** The safetensors file of its tensors. */
  readonly file: string;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly clip_norm: number;
  readonly schedule: GoldenSchedule;
  readonly groups: readonly GoldenGroup[];
  readonly lr: readonly number[];
  /** Before clipping. */
  readonly grad_norm: readonly number[];
  /** What PyTorch's own float32 run is off by, by tensor. */
  readonly float32_error: Readonly<Record<string, number>>;
}

export interface GoldenOptimizer extends GoldenRun {
  /** Steps in which a parameter has no gradient, from 0. */
  readonly idle: Readonly<Record<string, readonly number[]>>;
  /** Numbers of steps done after which the state is in the file. */
  readonly checked_steps: readonly number[];
}

export interface GoldenExample {
  readonly picture: number;
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
}

export interface GoldenTrainingBatch {
  readonly examples: readonly number[];
  readonly ids: readonly (readonly number[])[];
  readonly types: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
}

export interface GoldenCurve extends GoldenRun {
  /** Paths from the training folder. */
  readonly config: string;
  readonly checkpoint: string;
  readonly pictures: string;
  readonly lr_scale: Readonly<Record<string, number>>;
  readonly weight_decay: number;
  readonly examples: readonly GoldenExample[];
  readonly batches: readonly GoldenTrainingBatch[];
  /** Which batch comes in each step. */
  readonly steps: readonly number[];
  readonly loss: readonly number[];
  readonly float32_loss: readonly number[];
  readonly float32_grad_norm: readonly number[];
  /** As `float32_error`, but the mean. */
  readonly float32_mean_error: Readonly<Record<string, number>>;
}

export interface GoldenTraining {
  readonly optimizer: readonly GoldenOptimizer[];
  readonly curves: readonly GoldenCurve[];
}

const RUN = {
  name: 'string',
  file: 'string',
  betas: 'list',
  eps: 'number',
  clip_norm: 'number',
  schedule: 'object',
  groups: 'list',
  lr: 'list',
  grad_norm: 'list',
  float32_error: 'object',
} as const;
const OPTIMIZER = { ...RUN, idle: 'object', checked_steps: 'list' } as const;
const CURVE = {
  ...RUN,
  config: 'string',
  checkpoint: 'string',
  pictures: 'string',
  lr_scale: 'object',
  weight_decay: 'number',
  examples: 'list',
  batches: 'list',
  steps: 'list',
  loss: 'list',
  float32_loss: 'list',
  float32_grad_norm: 'list',
  float32_mean_error: 'object',
} as const;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}

/** @throws GoldenError naming the first field that is missing or of another kind */
function requireFields(where: string, value: unknown, fields: Readonly<Record<string, string>>): void {
  const record = value as Record<string, unknown> | null;
  for (const [name, kind] of Object.entries(fields)) {
    const got = kindOf(record?.[name]);
    if (got !== kind) throw new GoldenError(`${where}: ${name} is ${got}, expected ${kind}`);
  }
}

/** @throws GoldenError where the manifest is not of a training folder, or a field is missing */
export async function readTrainingManifest(folder: GoldenFolder): Promise<GoldenTraining> {
  const where = `${folder.label}/manifest.json`;
  const json = (await readJson(folder, 'manifest.json')) as GoldenTraining;
  requireFields(where, json, { kind: 'string', optimizer: 'list', curves: 'list' });
  for (const [i, entry] of json.optimizer.entries())
    requireFields(`${where}: optimizer[${i}]`, entry, OPTIMIZER);
  for (const [i, entry] of json.curves.entries()) requireFields(`${where}: curves[${i}]`, entry, CURVE);
  return json;
}
