/**
 * Model folders on disk (Node only), laid out as released: config.json, tokenizer.json, tokenizer_config.json and the
 * weights as safetensors.
 */
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, Tokenizer, TokenizerError } from '../../data/index.ts';
import { openCheckpointFolder, readJson, replaceFile, writeCheckpointFolder } from '../../data/node.ts';
import { checkpointEntries, type LoadOptions, loadCogVLM } from './checkpoint.ts';
import type { CogVLM } from './cogvlm.ts';
import { configToJson } from './config.ts';
import { ConfigError } from './configFields.ts';
import { modelFolder, shippedModels } from './modelFolder.ts';
import { PretrainedCogVLM } from './pretrained.ts';

const CONFIG_FILE = 'config.json';
const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

/** How a model folder is read. */
export interface LoadPretrainedOptions extends LoadOptions {
  /** Folder of the tokenizer, or a name, where it is not the model's. */
  readonly tokenizer?: string;
}

/**
 * Reads a model folder onto the backend in use.
 * @param model path of the folder, or the name of a model that comes with the package: 'first-light'. What exists as a
 * path is that path, and './first-light' is never a name.
 * @throws ConfigError, TokenizerError, StateDictError, SafetensorsError
 */
export async function loadPretrained(
  model: string,
  options: LoadPretrainedOptions = {},
): Promise<PretrainedCogVLM> {
  const { tokenizer: tokenizerFolder = model, ...loadOptions } = options;
  const folder = modelFolder(model);
  const config = await readConfigJson(folder); // first, so that a wrong path is told by what it should hold
  const tokenizer = await readTokenizer(tokenizerFolder);
  const checkpoint = await openCheckpointFolder(folder);
  try {
    return new PretrainedCogVLM(await loadCogVLM(config, checkpoint, loadOptions), tokenizer);
  } finally {
    await checkpoint.close();
  }
}

/** The parsed config.json of a folder. @throws ConfigError naming the file and the reason */
export async function readConfigJson(folder: string): Promise<unknown> {
  const path = join(modelFolder(folder), CONFIG_FILE);
  const missing = missingFolder(folder);
  if (missing !== undefined) throw new ConfigError(`${path} cannot be read: ${missing}`);
  const json = await readJson(path).catch((cause: unknown) => {
    throw new ConfigError(reasonOf(cause), { cause });
  });
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ConfigError(`${path}: expected an object`);
  return json;
}

/** What to say where a model's folder is none. */
function missingFolder(given: string): string | undefined {
  const found = statSync(modelFolder(given), { throwIfNoEntry: false });
  if (found?.isDirectory()) return undefined;
  if (found !== undefined) return `${given} is a file, expected a model folder`;
  return `there is no folder ${given}, and no model of that name in the package, which has ${shippedModels().join(', ') || 'none'}`;
}

/** The tokenizer of a folder. @throws TokenizerError; where there is none it says where to get one */
export async function readTokenizer(given: string): Promise<Tokenizer> {
  const folder = modelFolder(given);
  const path = join(folder, TOKENIZER_FILE);
  if (!existsSync(path)) {
    throw new TokenizerError(
      `${path} is missing. The released CogVLM folders have none: they use the tokenizer of lmsys/vicuna-7b-v1.5. ` +
        `Python's transformers writes it: AutoTokenizer.from_pretrained("lmsys/vicuna-7b-v1.5").save_pretrained(${JSON.stringify(folder)})`,
    );
  }
  const configPath = join(folder, TOKENIZER_CONFIG_FILE);
  const config = existsSync(configPath) ? await readTokenizerJson(configPath) : {};
  return new Tokenizer(await readTokenizerJson(path), config);
}

async function readTokenizerJson(path: string): Promise<unknown> {
  try {
    return await readJson(path);
  } catch (cause) {
    throw new TokenizerError(reasonOf(cause), { cause });
  }
}

/** How a model folder is written. */
export interface SavePretrainedOptions {
  /** How weights are stored; default F32. BF16 rounds to the nearest. */
  readonly dtype?: 'F32' | 'BF16';
  /** Bytes of tensors in one file at most; default 5·10⁹. */
  readonly maxShardBytes?: number;
}

/**
 * Writes a model folder; makes it where it is missing. Files are written to temporary ones and renamed. Loading and
 * saving what was saved gives the same bytes.
 */
export async function savePretrained(
  folder: string,
  { model, tokenizer }: { readonly model: CogVLM; readonly tokenizer?: Tokenizer },
  options: SavePretrainedOptions = {},
): Promise<void> {
  const { dtype = 'F32', ...shards } = options;
  await mkdir(folder, { recursive: true });
  await writeCheckpointFolder(folder, await checkpointEntries(model, dtype), shards);
  const torchDType = dtype === 'BF16' ? 'bfloat16' : 'float32';
  await writeJson(join(folder, CONFIG_FILE), configToJson(model.config, torchDType));
  if (tokenizer === undefined) return;
  await writeJson(join(folder, TOKENIZER_FILE), tokenizer.json);
  await writeJson(join(folder, TOKENIZER_CONFIG_FILE), tokenizer.config);
}

function writeJson(path: string, value: unknown): Promise<void> {
  return replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

export { modelFolder } from './modelFolder.ts';
