/** Options that several commands share, and what they stand for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Backend } from '../kernels/backend.ts';
import { BACKEND_NAMES, type BackendName, createBackend } from '../kernels/registry.ts';
import { isWasmSupported } from '../kernels/wasm/features.ts';
import { loadPretrained } from '../models/cogvlm/node.ts';
import { DEFAULT_MAX_NEW_TOKENS, type PretrainedCogVLM } from '../models/cogvlm/pretrained.ts';
import { setBackend } from '../tensor/context.ts';
import { type Session, UsageError } from './io.ts';
import { startProgress } from './progress.ts';

/** The package's folder: two above this file, in `src` as in `dist`. */
const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The model that comes with the package. */
export const SHIPPED_MODEL = join(PACKAGE_ROOT, 'models', 'first-light');

/** What computes where nothing is said. */
export const DEFAULT_BACKEND: BackendName = isWasmSupported() ? 'wasm' : 'cpu';

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

export interface BackendCliOptions {
  readonly backend: BackendName;
  readonly simd?: 'relaxed' | 'plain';
  readonly threads?: number;
}

export interface ModelOptions extends BackendCliOptions {
  readonly model: string;
  readonly tokenizer?: string;
}

export interface AnswerCliOptions extends ModelOptions {
  readonly maxNewTokens: number;
  readonly json?: true;
}

/** --backend and the options of the wasm backend. */
export function addBackendOptions(command: Command, fallback = DEFAULT_BACKEND): Command {
  return command
    .addOption(new Option('--backend <name>', 'what computes').choices(BACKEND_NAMES).default(fallback))
    .addOption(
      new Option(
        '--simd <kind>',
        'wasm: with fused multiply-add or without (default: with, where the engine has it)',
      ).choices(['relaxed', 'plain']),
    )
    .addOption(new Option('--threads <n>', 'wasm: threads that share the work').argParser(wholeNumber));
}

const WASM: readonly BackendName[] = ['wasm', 'wasm-exact'];

/**
 * Makes the backend of the options the one that new tensors are made on.
 * @param name another backend that gets the same options
 * @throws UsageError for options that the backend does not have
 */
export async function chooseBackend(
  { backend, simd, threads }: BackendCliOptions,
  name = backend,
): Promise<Backend> {
  if (simd === undefined && threads === undefined) return setBackend(name);
  if (!WASM.includes(name)) {
    const option = simd === undefined ? '--threads' : '--simd';
    throw new UsageError(`${option} is an option of the wasm backend, not of ${backend}`);
  }
  const relaxed = simd === undefined ? {} : { relaxed: simd === 'relaxed' };
  const shared = threads === undefined ? {} : { threads };
  return setBackend(await createBackend(name, { wasm: { ...relaxed, ...shared } }));
}

function wholeNumber(text: string): number {
  const n = Number(text);
  if (Number.isSafeInteger(n) && n > 0) return n;
  throw new InvalidArgumentError('Expected a whole number from 1 on.');
}

export function modelOption(): Option {
  return new Option('--model <dir>', 'folder with config.json, tokenizer.json and the weights').default(
    SHIPPED_MODEL,
    'the model that comes with the package',
  );
}

export function tokenizerOption(): Option {
  return new Option('--tokenizer <dir>', 'folder with tokenizer.json, where the model has none');
}

export function maxNewTokensOption(): Option {
  return new Option('--max-new-tokens <n>', 'cut the answer after so many tokens')
    .default(DEFAULT_MAX_NEW_TOKENS)
    .argParser(wholeNumber);
}

/** @throws Error where the shipped model is meant, but is not there */
export function checkModelFolder(folder: string): void {
  if (folder !== SHIPPED_MODEL || existsSync(SHIPPED_MODEL)) return;
  throw new Error(
    `the model that comes with the package is not there: ${folder} is missing; npm run train:first-light makes it, --model names another`,
  );
}

/** Sets the backend and loads the model onto it. */
export async function loadModel(session: Session, options: ModelOptions): Promise<PretrainedCogVLM> {
  checkModelFolder(options.model);
  await chooseBackend(options);
  const progress = startProgress(session, 'loading', 'tensors');
  try {
    return await loadPretrained(options.model, {
      ...(options.tokenizer === undefined ? {} : { tokenizer: options.tokenizer }),
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
  }
}
