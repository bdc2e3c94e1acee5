/**
 * A golden folder: what the original PyTorch code computed for one checkpoint, or for a set of pictures. Nothing here
 * knows sizes; they come with each folder.
 */
import type { Checkpoint, SafetensorsFile } from '../data/index.ts';
import type { Truth } from './finding.ts';

/** Where the files of one golden folder are. */
export interface GoldenFolder {
  readonly label: string;
  /** Names of its files and folders. */
  list(): Promise<readonly string[]>;
  bytes(name: string): Promise<Uint8Array>;
  safetensors(name: string): Promise<SafetensorsFile>;
  checkpoint(name: string): Promise<Checkpoint>;
}

/** A golden folder whose files do not say what they should. */
export class GoldenError extends Error {
  override readonly name = 'GoldenError';
}

export interface GoldenBatch {
  readonly input_ids: number[][];
  readonly token_type_ids: number[][];
  readonly attention_mask: number[][];
}

/** case.json of a model folder. */
export interface GoldenCase {
  readonly input_ids: number[];
  readonly token_type_ids: number[];
  readonly labels: number[];
  readonly texts: number[][];
  readonly images: string[];
  readonly batch: GoldenBatch;
  readonly greedy_tokens: number[];
}

/** An entry of manifest.json of a preprocess folder. */
export interface GoldenPicture {
  readonly file: string;
  readonly sizes: readonly number[];
}

export async function readJson(folder: GoldenFolder, name: string): Promise<unknown> {
  const text = new TextDecoder().decode(await folder.bytes(name));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GoldenError(`${folder.label}/${name} is not JSON: ${(error as Error).message}`);
  }
}

type FieldKind = 'number' | 'string';

function isList(value: unknown, kind: FieldKind, depth: number): boolean {
  return (
    Array.isArray(value) && value.every((v) => (depth === 1 ? typeof v === kind : isList(v, kind, depth - 1)))
  );
}

/** @throws GoldenError naming the field that is missing or of another form */
function requireLists(
  where: string,
  json: unknown,
  fields: Readonly<Record<string, readonly [FieldKind, number]>>,
): void {
  for (const [name, [kind, depth]] of Object.entries(fields)) {
    const value = (json as Record<string, unknown> | null)?.[name];
    if (isList(value, kind, depth)) continue;
    throw new GoldenError(
      `${where}: ${name} is not ${depth === 1 ? 'a list' : 'a list of lists'} of ${kind}s`,
    );
  }
}

export async function readCase(folder: GoldenFolder): Promise<GoldenCase> {
  const json = (await readJson(folder, 'case.json')) as GoldenCase;
  const where = `${folder.label}/case.json`;
  requireLists(where, json, {
    input_ids: ['number', 1],
    token_type_ids: ['number', 1],
    labels: ['number', 1],
    texts: ['number', 2],
    images: ['string', 1],
    greedy_tokens: ['number', 1],
  });
  requireLists(`${where}: batch`, json.batch, {
    input_ids: ['number', 2],
    token_type_ids: ['number', 2],
    attention_mask: ['number', 2],
  });
  return json;
}

export async function readManifest(folder: GoldenFolder): Promise<readonly GoldenPicture[]> {
  const json = await readJson(folder, 'manifest.json');
  if (!Array.isArray(json)) throw new GoldenError(`${folder.label}/manifest.json is not a list`);
  for (const [i, entry] of json.entries()) {
    if (typeof entry?.file !== 'string')
      throw new GoldenError(`${folder.label}/manifest.json: entry ${i} names no file`);
    requireLists(`${folder.label}/manifest.json: ${entry.file}`, entry, { sizes: ['number', 1] });
  }
  return json as GoldenPicture[];
}

/** PyTorch's own float32 errors by tensor name; empty where the folder has none. */
export async function readTorchErrors(folder: GoldenFolder): Promise<Readonly<Record<string, number>>> {
  if (!(await folder.list()).includes('torch_float32_error.json')) return {};
  return (await readJson(folder, 'torch_float32_error.json')) as Record<string, number>;
}

export async function readTruth(file: SafetensorsFile, name: string): Promise<Truth> {
  const { shape, data } = await file.read(name);
  return { name, shape, data };
}

/** Version of what this project's own generators write. */
const FORMAT = '1';

/** @throws GoldenError where the file was written by another version of the generators */
export async function openFixtures(folder: GoldenFolder, name: string): Promise<SafetensorsFile> {
  const file = await folder.safetensors(name);
  const format = file.metadata.get('format');
  if (format === FORMAT) return file;
  await file.close();
  const came = format === undefined ? 'no format' : `format ${format}`;
  throw new GoldenError(
    `${folder.label}/${name} has ${came}, expected ${FORMAT}; make it again: npm run goldens`,
  );
}

/** As `withOpen`, for what is found one by one. */
export async function* whileOpen<F extends { close(): Promise<void> }, R>(
  opening: Promise<F>,
  use: (file: F) => AsyncIterable<R>,
): AsyncIterable<R> {
  const file = await opening;
  try {
    yield* use(file);
  } finally {
    await file.close();
  }
}

/** Opens, uses, and closes again whatever happens. */
export async function withOpen<F extends { close(): Promise<void> }, R>(
  opening: Promise<F>,
  use: (file: F) => Promise<R>,
): Promise<R> {
  const file = await opening;
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
