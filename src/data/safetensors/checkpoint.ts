/**
 * A checkpoint folder as Hugging Face lays it out, read as one set of tensors:
 *
 *   model.safetensors.index.json + the shards its weight_map names (as many as there are), or
 *   model.safetensors, or
 *   the only *.safetensors file there is.
 *
 * Opening reads headers only.
 */
import type { StoredArray, WidenedArray } from './dtype.ts';
import { SafetensorsError } from './error.ts';
import type { TensorInfo } from './header.ts';
import { MAX_HEADER_BYTES } from './header.ts';
import { isRecord, parseJsonObject, shown } from './json.ts';
import type { LoadedTensor, SafetensorsFile } from './read.ts';
import { openSafetensors, readExactly } from './read.ts';
import type { ByteSource } from './source.ts';

export const INDEX_FILE = 'model.safetensors.index.json';
export const SINGLE_FILE = 'model.safetensors';

/** What opening a checkpoint asks of a folder. */
export interface CheckpointFolder {
  readonly label: string;
  /** Names of the files in it. */
  list(): Promise<readonly string[]>;
  open(name: string): Promise<ByteSource>;
}

export interface CheckpointFile {
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly tensorCount: number;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface CheckpointTensor extends TensorInfo {
  /** Name of the file it lies in. */
  readonly file: string;
}

export class Checkpoint {
  readonly label: string;
  readonly files: readonly CheckpointFile[];
  /** All tensors, file by file in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Metadata of all files; where two files differ in a key, the first one's. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #open: ReadonlyMap<string, SafetensorsFile>;

  constructor(label: string, open: ReadonlyMap<string, SafetensorsFile>) {
    const tensors = new Map<string, CheckpointTensor>();
    const metadata = new Map<string, string>();
    for (const [name, file] of open) {
      for (const info of file.tensors.values()) tensors.set(info.name, { ...info, file: name });
      for (const [key, text] of file.metadata) if (!metadata.has(key)) metadata.set(key, text);
    }
    this.label = label;
    this.files = Array.from(open, ([name, file]) => {
      return { name, size: file.size, tensorCount: file.tensors.size, metadata: file.metadata };
    });
    this.tensors = tensors;
    this.metadata = metadata;
    this.#open = open;
  }

  /** One tensor in the form tensors compute in (see WidenedArray); reads only its bytes. */
  async read(name: string): Promise<LoadedTensor<WidenedArray>> {
    return this.#fileOf(name).read(name);
  }

  /** One tensor as it is stored: bf16 and f16 as bit patterns, I64 as BigInt64Array; reads only its bytes. */
  async readStored(name: string): Promise<LoadedTensor<StoredArray>> {
    return this.#fileOf(name).readStored(name);
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.values(), (file) => file.close()));
  }

  #fileOf(tensor: string): SafetensorsFile {
    const file = this.#open.get(this.tensors.get(tensor)?.file ?? '');
    if (file) return file;
    const reason = `is not among the ${this.tensors.size} tensors of the checkpoint`;
    throw new SafetensorsError(this.label, reason, { tensor });
  }
}

/**
 * Opens a checkpoint folder and checks all headers, and the index against them.
 * @throws SafetensorsError: nothing found (with what was looked for), a shard missing, tensors that index and shards do not
 *   agree on (all of them), or anything wrong in a file.
 */
export async function openCheckpoint(folder: CheckpointFolder): Promise<Checkpoint> {
  const names = await folder.list();
  if (names.includes(INDEX_FILE)) return openSharded(folder, names);
  const name = names.includes(SINGLE_FILE) ? SINGLE_FILE : onlyWeightFile(names, folder.label);
  const file = await openSafetensors(await folder.open(name));
  return new Checkpoint(folder.label, new Map([[name, file]]));
}

function onlyWeightFile(names: readonly string[], label: string): string {
  const found = names.filter((name) => name.endsWith('.safetensors')).sort();
  if (found.length === 1) return found[0];
  const wanted = `looked for ${INDEX_FILE}, ${SINGLE_FILE} and a single *.safetensors file`;
  const reason =
    found.length === 0
      ? `no weights found: ${wanted}`
      : `which weights are meant? ${wanted}, found ${found.length}: ${found.join(', ')}`;
  throw new SafetensorsError(label, reason);
}

async function openSharded(folder: CheckpointFolder, names: readonly string[]): Promise<Checkpoint> {
  const weightMap = await readIndex(folder);
  const shards = [...new Set(weightMap.values())].sort();
  const missing = shards.filter((shard) => !names.includes(shard));
  if (missing.length > 0) {
    const reason = `${missing.length} of the ${shards.length} files named by ${INDEX_FILE} are missing: ${missing.join(', ')}`;
    throw new SafetensorsError(folder.label, reason);
  }
  const open = new Map<string, SafetensorsFile>();
  try {
    for (const shard of shards) open.set(shard, await openSafetensors(await folder.open(shard)));
    checkIndex(weightMap, open, folder.label);
  } catch (error) {
    await Promise.all(Array.from(open.values(), (file) => file.close()));
    throw error;
  }
  return new Checkpoint(folder.label, open);
}

/** Tensor name → file name. */
async function readIndex(folder: CheckpointFolder): Promise<ReadonlyMap<string, string>> {
  const source = await folder.open(INDEX_FILE);
  try {
    const { label, size } = source;
    if (size > MAX_HEADER_BYTES) throw new SafetensorsError(label, `an index of ${size} bytes is not read`);
    const { record } = parseJsonObject(await readExactly(source, 0, size), label, 'the index');
    const weightMap = record['weight_map'];
    if (!isRecord(weightMap)) {
      throw new SafetensorsError(label, 'the index has no object weight_map { tensor name: file name }');
    }
    const files = new Map<string, string>();
    for (const [tensor, file] of Object.entries(weightMap)) files.set(tensor, shardName(file, tensor, label));
    return files;
  } finally {
    await source.close?.();
  }
}

/** An index may come from anywhere: it must not lead out of its folder. */
function shardName(file: unknown, tensor: string, label: string): string {
  const plain = typeof file === 'string' && /^[^/\\:\0]+\.safetensors$/.test(file);
  if (plain) return file;
  const reason = `weight_map gives ${shown(file)}, not the plain name of a .safetensors file in the folder`;
  throw new SafetensorsError(label, reason, { tensor });
}

function checkIndex(
  weightMap: ReadonlyMap<string, string>,
  open: ReadonlyMap<string, SafetensorsFile>,
  label: string,
): void {
  const wrong: string[] = [];
  for (const [tensor, shard] of weightMap) {
    if (!open.get(shard)?.tensors.has(tensor))
      wrong.push(`${tensor} is not in ${shard}, where the index has it`);
  }
  for (const [shard, file] of open) {
    for (const tensor of file.tensors.keys()) {
      const indexed = weightMap.get(tensor);
      if (indexed === undefined) wrong.push(`${tensor} is in ${shard} but not in the index`);
      else if (indexed !== shard) wrong.push(`${tensor} is in ${shard}, but the index has it in ${indexed}`);
    }
  }
  if (wrong.length === 0) return;
  const reason = `${INDEX_FILE} and the files do not agree on ${wrong.length} entries:\n  ${wrong.join('\n  ')}`;
  throw new SafetensorsError(label, reason);
}
