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
import { type GoldenFolder, openFixtures, readTruth, withOpen } from '../golden.ts';
import { judge, kept, type Numbers, type Row, type Subject } from '../judge.ts';
import type { VerifyDType } from '../model.ts';
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

export async function judgeWeights(
  folder: GoldenFolder,
  golden: GoldenCurve,
  { before, after, vitQkvBiases }: Trained,
  dtype: VerifyDType,
  onRow: (row: Row) => void,
): Promise<void> {
  const trained = new Set<string>();
  await withOpen(openFixtures(folder, golden.file), async (file) => {
    for (const key of file.tensors.keys()) {
      const name = key.slice(PREFIX.length);
      trained.add(name);
      const update = difference(before.get(name), after.get(name));
      const truth = await readTruth(file, key);
      const rows =
        dtype === 'float64'
          ? judgeFloat64(golden, name, truth, update)
          : judgeFloat32(golden, name, truth, update, vitQkvBiases.has(name));
      for (const row of rows) onRow(row);
    }
  });
  const moved = [...before].flatMap(([name, { data }]) => {
    const now = after.get(name)?.data;
    const same = Array.prototype.every.call(data, (value, i) => value === now?.[i]);
    return same || trained.has(name) ? [] : [name];
  });
  const note = moved.length === 0 ? null : `changed: ${moved.join(', ')}`;
  onRow(kept(subjectOf(golden, 'frozen weights'), note));
}

function difference(before: Numbers | undefined, after: Numbers | undefined): Numbers | undefined {
  if (before === undefined || after === undefined) return undefined;
  return { shape: after.shape, data: Float64Array.from(after.data, (value, i) => value - before.data[i]) };
}

function judgeFloat64(golden: GoldenCurve, name: string, truth: Numbers, update: Numbers | undefined): Row[] {
  const tolerance = updateTolerance(truth.data);
  const torchError = golden.float32_error[name];
  return [judge(subjectOf(golden, PREFIX + name), truth, update, { tolerance, torchError })];
}

function judgeFloat32(
  golden: GoldenCurve,
  name: string,
  truth: Numbers,
  update: Numbers | undefined,
  isQkvBias: boolean,
): Row[] {
  const third = truth.data.length / 3;
  const isKey = (i: number) => isQkvBias && i >= third && i < 2 * third;
  const torchError = golden.float32_mean_error[name];
  const rest = judge(subjectOf(golden, PREFIX + name), truth, update, {
    tolerance: { atol: UPDATE_MEAN_OF_TORCH * torchError },
    torchError,
    measure: 'mean',
    counts: (i) => !isKey(i),
  });
  if (!isQkvBias) return [rest];

  const keys = `${name} (keys)`;
  const scale = golden.groups.find(({ parameters }) => parameters.includes(name))?.lr_scale ?? 0;
  const keyRow = judge(subjectOf(golden, PREFIX + keys), truth, update, {
    tolerance: { atol: golden.lr.reduce((sum, lr) => sum + scale * lr, 0) },
    torchError: golden.float32_error[keys],
    counts: isKey,
  });
  return [rest, keyRow];
}
