/** Any golden folder, by what is in it: a model with its checkpoint, or pictures. */
import { GoldenError, type GoldenFolder } from './golden.ts';
import type { Row } from './judge.ts';
import { type VerifyDType, verifyModel } from './model.ts';
import { verifyPreprocess } from './pictures.ts';

export interface FolderReport {
  readonly folder: string;
  readonly kind: 'model' | 'preprocess';
  readonly rows: readonly Row[];
}

/**
 * @param onRow called with each row as it is ready
 * @throws GoldenError where the folder is neither kind; whatever reading its files throws
 */
export async function verifyFolder(
  folder: GoldenFolder,
  dtype: VerifyDType,
  onRow: (row: Row) => void = () => {},
): Promise<FolderReport> {
  const names = await folder.list();
  const rows: Row[] = [];
  const collect = (row: Row) => {
    rows.push(row);
    onRow(row);
  };
  if (names.includes('manifest.json')) {
    await verifyPreprocess(folder, collect);
    return { folder: folder.label, kind: 'preprocess', rows };
  }
  if (names.includes('case.json')) {
    await verifyModel(folder, dtype, collect);
    return { folder: folder.label, kind: 'model', rows };
  }
  throw new GoldenError(
    `${folder.label} is no golden folder: it has neither case.json (a model) nor manifest.json (pictures)`,
  );
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
  for (const { name, error, allowed, torchError } of rows) {
    if (error === null) continue;
    const ratio = allowed === 0 ? (error === 0 ? 0 : Number.POSITIVE_INFINITY) : error / allowed;
    if (worst === null || ratio > worst.ratio) worst = { name, ratio };
    // Errors below this are rounding of the stored truth, not of the computation.
    if (torchError !== null && torchError > 1e-12) ratios.push(error / torchError);
  }
  ratios.sort((a, b) => a - b);
  const medianTorchRatio = ratios.length === 0 ? null : ratios[Math.floor(ratios.length / 2)];
  return { ok, bad: rows.length - ok, worst, medianTorchRatio };
}
