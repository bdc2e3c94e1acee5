/**
 * A golden folder, from its files to rows:
 *
 *   load      golden.ts     what lies in it; manifests and fixtures are read by what runs them
 *   run       functions.ts, model.ts, pictures.ts, training/: what the backend in use makes of it, beside the truth
 *   compare   compare.ts    element by element
 *   judge     judge.ts      what that comes to, by tolerances.ts
 *   row       row.ts        for a table, JSON or the page of report/
 *
 * Each step hands its result on and calls none before it.
 */
import type { Findings } from './finding.ts';
import { verifyFunctions, verifyModules, verifyOps } from './functions.ts';
import { GoldenError, type GoldenFolder, readJson } from './golden.ts';
import { judge } from './judge.ts';
import { verifyModel } from './model.ts';
import { verifyPreprocess } from './pictures.ts';
import type { Row } from './row.ts';
import type { FloatDType } from './samples.ts';
import { verifyTraining } from './training/training.ts';

/** What is computed in a folder of each kind. */
const RUNS = {
  /** Checkpoint, activations, gradients, generation of a whole model. */
  model: verifyModel,
  /** Pixel values of pictures. */
  preprocess: verifyPreprocess,
  /** Every primitive. */
  ops: verifyOps,
  /** Every composed function. */
  functions: verifyFunctions,
  /** Every module and loss of src/nn. */
  modules: verifyModules,
  /** The optimiser, and training of whole models. */
  training: verifyTraining,
} satisfies Readonly<Record<string, (folder: GoldenFolder, dtype: FloatDType) => Findings>>;

export type FolderKind = keyof typeof RUNS;

/** A folder whose kind is run by other programs than this package's. */
export class ElsewhereError extends GoldenError {}

/** Kinds that are run elsewhere, and where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  onnx: "ONNX's operator tests run in a clone of the repository: npm run verify -- --only onnx",
};

export interface FolderReport {
  readonly folder: string;
  readonly kind: FolderKind;
  readonly rows: readonly Row[];
}

/** @throws GoldenError where the folder is of no kind; ElsewhereError where it is not for this package to run */
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
  if (typeof kind === 'string' && Object.hasOwn(RUNS, kind)) return kind as FolderKind;
  if (typeof kind === 'string' && Object.hasOwn(ELSEWHERE, kind))
    throw new ElsewhereError(`${folder.label}: ${ELSEWHERE[kind]}`);
  throw new GoldenError(
    `${folder.label}/manifest.json: kind is ${JSON.stringify(kind)}, expected one of ${Object.keys(RUNS).join(', ')}`,
  );
}

/**
 * Compares everything in a folder of a kind with what this library computes on the backend in use.
 * @param onRow called with each row as it is ready
 * @throws whatever reading its files throws
 */
export async function verifyKind(
  kind: FolderKind,
  folder: GoldenFolder,
  dtype: FloatDType,
  onRow: (row: Row) => void = () => {},
): Promise<FolderReport> {
  const rows: Row[] = [];
  for await (const finding of RUNS[kind](folder, dtype)) {
    const row = judge(finding);
    rows.push(row);
    onRow(row);
  }
  return { folder: folder.label, kind, rows };
}

/** The same for a folder of any kind. @throws GoldenError where it is of none */
export async function verifyFolder(
  folder: GoldenFolder,
  dtype: FloatDType,
  onRow?: (row: Row) => void,
): Promise<FolderReport> {
  return verifyKind(await folderKind(folder), folder, dtype, onRow);
}
