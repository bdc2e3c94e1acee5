/** Any golden folder, by what is in it. */

import { verifyModules, verifyOps } from './functions.ts';
import { GoldenError, type GoldenFolder, readJson } from './golden.ts';
import type { Row } from './judge.ts';
import { type VerifyDType, verifyModel } from './model.ts';
import { verifyOnnx } from './onnx/onnx.ts';
import { verifyPreprocess } from './pictures.ts';
import { isRatioCounted } from './report/report.ts';
import { verifyTraining } from './training/training.ts';

type Verifier = (folder: GoldenFolder, dtype: VerifyDType, onRow: (row: Row) => void) => Promise<void>;

/** What is compared in a folder of each kind. */
const VERIFIERS = {
  /** Checkpoint, activations, gradients, generation of a whole model. */
  model: verifyModel,
  /** Pixel values of pictures. */
  preprocess: (folder, _dtype, onRow) => verifyPreprocess(folder, onRow),
  /** Every primitive. */
  ops: verifyOps,
  /** Every module and loss of src/nn. */
  modules: verifyModules,
  /** The operator tests of ONNX. */
  onnx: verifyOnnx,
  /** The optimiser, and training of whole models. */
  training: verifyTraining,
} satisfies Readonly<Record<string, Verifier>>;

export type FolderKind = keyof typeof VERIFIERS;

export interface FolderReport {
  readonly folder: string;
  readonly kind: FolderKind;
  readonly rows: readonly Row[];
}

/** @throws GoldenError where the folder is of no kind */
export async function folderKind(folder: GoldenFolder): Promise<FolderKind> {
  const names = await folder.list();
  if (names.includes('case.json')) return 'model';
  if (!names.includes('manifest.json')) {
    throw new GoldenError(
      `${folder.label} is no golden folder: it has neither case.json (a model) nor manifest.json (anything else)`,
    );
  }
  const manifest = await readJson(folder, 'manifest.json');
  if (Array.isArray(manifest)) return 'preprocess';
  const { kind } = (manifest ?? {}) as { readonly kind?: unknown };
  if (typeof kind === 'string' && Object.hasOwn(VERIFIERS, kind)) return kind as FolderKind;
  throw new GoldenError(
    `${folder.label}/manifest.json: kind is ${JSON.stringify(kind)}, expected one of ${Object.keys(VERIFIERS).join(', ')}`,
  );
}

/**
 * Compares everything in the folder with what this library computes on the backend in use.
 * @param onRow called with each row as it is ready
 * @throws GoldenError where the folder is of no kind; whatever reading its files throws
 */
export async function verifyFolder(
  folder: GoldenFolder,
  dtype: VerifyDType,
  onRow: (row: Row) => void = () => {},
): Promise<FolderReport> {
  const kind = await folderKind(folder);
  const rows: Row[] = [];
  await VERIFIERS[kind](folder, dtype, (row) => {
    rows.push(row);
    onRow(row);
  });
  return { folder: folder.label, kind, rows };
}

export interface Summary {
  readonly ok: number;
  readonly bad: number;
  /** Largest error as a part of what is allowed. */
  readonly worst: { readonly name: string; readonly ratio: number } | null;
  /** Median over the tensors for which PyTorch's own float32 error is known and not 0. */
  readonly medianTorchRatio: number | null;
}

export function summarize({ rows }: FolderReport): Summary {
  const ok = rows.filter((row) => row.status === 'OK').length;
  let worst: Summary['worst'] = null;
  const ratios: number[] = [];
  for (const row of rows) {
    const { name, error, used, torchError } = row;
    if (error === null) continue;
    if (worst === null || used > worst.ratio) worst = { name, ratio: used };
    if (torchError !== null && isRatioCounted(row)) ratios.push(error / torchError);
  }
  ratios.sort((a, b) => a - b);
  const medianTorchRatio = ratios.length === 0 ? null : ratios[Math.floor(ratios.length / 2)];
  return { ok, bad: rows.length - ok, worst, medianTorchRatio };
}
