/**
 * What every weight has become, beside PyTorch: final minus initial value, so that an error is seen at the size of the
 * update and not of the weight.
 *
 * Adam divides by the gradient's own size. Where a gradient is smaller than its rounding error, the first steps go where
 * rounding says, and single weights of a float32 run end far from the truth: one of 11008 by 15 % of its way, on wasm, in
 * the alignment curve. No loss shows it. So a float32 run is judged by the mean over each tensor, which is as large as
 * PyTorch's own, and the float64 run by its worst element.
 *
 * One gradient is 0 in all of its elements: that of the ViT's key bias, which adds the same to all scores of a query, and
 * softmax does not see that. Its float32 updates are rounding errors alone, magnified by Adam to a tenth of a real update
 * (PyTorch 4e-5, wasm 6e-5); in float64 they are 2e-13, since ε = 1e-8 is large beside such a gradient. They change no loss.
 * Adam moves a weight by about the rate in a step, so the sum of the rates is what the keys' part may be off by.
 */
import { type Finding, type Findings, type Lack, NOT_COMPUTED, type Numbers } from '../finding.ts';
import { type GoldenFolder, openFixtures, readTruth, whileOpen } from '../golden.ts';
import type { Subject } from '../row.ts';
import type { FloatDType } from '../samples.ts';
import { UPDATE_MEAN_OF_TORCH, updateTolerance } from '../tolerances.ts';
import type { GoldenCurve } from './manifest.ts';

/** Weights by name, as numbers. */
export type Weights = ReadonlyMap<string, Numbers>;

export interface Trained {
  readonly before: Weights;
  readonly after: Weights;
  /** Names of the ViT's biases of q, k and v, whose middle third has no gradient. */
  readonly vitQkvBiases: ReadonlySet<string>;
}

const PREFIX = 'update.';

export function subjectOf({ name }: GoldenCurve, what: string): Subject {
  return { name: `${name}/${what}`, of: `${name} curve`, check: 'training' };
}

export async function* weightFindings(
  folder: GoldenFolder,
  golden: GoldenCurve,
  { before, after, vitQkvBiases }: Trained,
  dtype: FloatDType,
): Findings {
  const trained = new Set<string>();
  yield* whileOpen(openFixtures(folder, golden.file), async function* (file): Findings {
    for (const key of file.tensors.keys()) {
      const name = key.slice(PREFIX.length);
      trained.add(name);
      const update = difference(before.get(name), after.get(name));
      const truth = await readTruth(file, key);
      if (dtype === 'float64') yield float64Finding(golden, name, truth, update);
      else yield* float32Findings(golden, name, truth, update, vitQkvBiases.has(name));
    }
  });
  const moved = [...before].flatMap(([name, { data }]) => {
    const now = after.get(name)?.data;
    const same = Array.prototype.every.call(data, (value, i) => value === now?.[i]);
    return same || trained.has(name) ? [] : [name];
  });
  const broken = moved.length === 0 ? null : `changed: ${moved.join(', ')}`;
  yield { subject: subjectOf(golden, 'frozen weights'), broken };
}

function difference(before: Numbers | undefined, after: Numbers | undefined): Numbers | Lack {
  if (before === undefined || after === undefined) return NOT_COMPUTED;
  return { shape: after.shape, data: Float64Array.from(after.data, (value, i) => value - before.data[i]) };
}

function float64Finding(
  golden: GoldenCurve,
  name: string,
  truth: Numbers,
  computed: Numbers | Lack,
): Finding {
  const allowance = { tolerance: updateTolerance(truth.data), torchError: golden.float32_error[name] };
  return { subject: subjectOf(golden, PREFIX + name), truth, computed, allowance };
}

function float32Findings(
  golden: GoldenCurve,
  name: string,
  truth: Numbers,
  computed: Numbers | Lack,
  isQkvBias: boolean,
): Finding[] {
  const third = truth.data.length / 3;
  const isKey = (i: number) => isQkvBias && i >= third && i < 2 * third;
  const torchError = golden.float32_mean_error[name];
  const rest: Finding = {
    subject: subjectOf(golden, PREFIX + name),
    truth,
    computed,
    allowance: {
      tolerance: { atol: UPDATE_MEAN_OF_TORCH * torchError },
      torchError,
      measure: 'mean',
      counts: (i) => !isKey(i),
    },
  };
  if (!isQkvBias) return [rest];

  const keys = `${name} (keys)`;
  const scale = golden.groups.find(({ parameters }) => parameters.includes(name))?.lr_scale ?? 0;
  const ofKeys: Finding = {
    subject: subjectOf(golden, PREFIX + keys),
    truth,
    computed,
    allowance: {
      tolerance: { atol: golden.lr.reduce((sum, lr) => sum + scale * lr, 0) },
      torchError: golden.float32_error[keys],
      counts: isKey,
    },
  };
  return [rest, ofKeys];
}
