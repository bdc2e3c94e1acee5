/**
 * The state of a run on disk (Node only): weights, what the optimiser remembers and the step, in one safetensors file that is
 * replaced as a whole. Nothing is rounded, so a resumed run goes on bit for bit.
 */
import { access } from 'node:fs/promises';
import { openSafetensors, type SafetensorsFile } from '../data/index.ts';
import { fileSource, writeSafetensorsFile } from '../data/node.ts';
import type { AnyModule, Optimizer } from '../nn/index.ts';
import { scope, Tensor } from '../tensor/index.ts';

const MODEL = 'model/';
const OPTIMIZER = 'optimizer/';

/** A saved run is damaged, or not of this model and optimiser. */
export class SavedRunError extends Error {
  override readonly name = 'SavedRunError';
}

/**
 * Writes weights, moments and step of a run into one file, so that it goes on bit for bit.
 * @param note any text to keep beside the numbers, for `savedNote`
 */
export async function saveRun(
  path: string,
  model: AnyModule,
  optimizer: Optimizer,
  note?: string,
): Promise<void> {
  const { step, tensors, skipped = new Map() } = optimizer.state();
  const entries = [];
  for (const [prefix, group] of [
    [MODEL, model.stateDict()],
    [OPTIMIZER, tensors],
  ] as const) {
    for (const [name, tensor] of group) {
      entries.push({
        name: prefix + name,
        dtype: 'F32' as const,
        shape: tensor.shape,
        data: await tensor.read(),
      });
    }
  }
  const metadata = {
    step: String(step),
    skipped: JSON.stringify(Object.fromEntries(skipped)),
    optimizer_tensors: String(tensors.size),
    ...(note === undefined ? {} : { note }),
  };
  await writeSafetensorsFile(path, entries, metadata);
}

/** The text saved with a run, empty where none was given; undefined where there is no run at `path`. */
export async function savedNote(path: string): Promise<string | undefined> {
  return withRun(path, async (file) => file.metadata.get('note') ?? '');
}

/**
 * Puts a saved run back into a model and its optimiser.
 * @returns whether there was one at `path`
 * @throws SafetensorsError, SavedRunError, StateDictError where the file is damaged or of another model or optimiser; both are
 *   as before then
 */
export async function loadRun(path: string, model: AnyModule, optimizer: Optimizer): Promise<boolean> {
  const done = await withRun(path, (file) => scope(() => readRun(file, path, model, optimizer)));
  return done !== undefined;
}

async function withRun<R>(path: string, use: (file: SafetensorsFile) => Promise<R>): Promise<R | undefined> {
  const present = await access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!present) return undefined;
  const file = await openSafetensors(await fileSource(path));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function readRun(
  file: SafetensorsFile,
  path: string,
  model: AnyModule,
  optimizer: Optimizer,
): Promise<true> {
  const weights = new Map<string, Tensor>();
  const tensors = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) {
    const isWeight = name.startsWith(MODEL);
    if (!isWeight && !name.startsWith(OPTIMIZER)) {
      throw new SavedRunError(`${path}: tensor ${name} is neither the model's nor the optimiser's`);
    }
    const { data, shape } = await file.read(name);
    const tensor = Tensor.fromArray(data, shape);
    if (isWeight) weights.set(name.slice(MODEL.length), tensor);
    else tensors.set(name.slice(OPTIMIZER.length), tensor);
  }
  const step = wholeNumber(file.metadata.get('step'), 'step', path);
  const expected = wholeNumber(file.metadata.get('optimizer_tensors'), 'optimizer_tensors', path);
  if (tensors.size !== expected) {
    throw new SavedRunError(
      `${path}: it has ${tensors.size} tensors of the optimiser, optimizer_tensors says ${expected}`,
    );
  }
  const state = { step, tensors, skipped: stepsByName(file.metadata.get('skipped'), path) };
  try {
    optimizer.checkState(state);
  } catch (cause) {
    throw new SavedRunError(`${path}: ${(cause as Error).message}`, { cause });
  }
  model.loadStateDict(weights); // changes nothing where it throws
  optimizer.loadState(state);
  return true;
}

function wholeNumber(text: string | undefined, field: string, path: string): number {
  const number = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  const got = text === undefined ? 'missing' : JSON.stringify(text);
  throw new SavedRunError(`${path}: ${field} is ${got}, expected a whole number from 0 on`);
}

/** Whether the numbers can be is for the optimiser to say. */
function stepsByName(text: string | undefined, path: string): Map<string, number> {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    value = undefined;
  }
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
  const isCounts = (pairs: [string, unknown][]): pairs is [string, number][] =>
    pairs.every(([, steps]) => typeof steps === 'number');
  if (entries !== undefined && !Array.isArray(value) && isCounts(entries)) return new Map(entries);
  const got = text === undefined ? 'missing' : JSON.stringify(text);
  throw new SavedRunError(`${path}: skipped is ${got}, expected an object of numbers of steps by name`);
}
