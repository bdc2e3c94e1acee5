/** Options that several commands share, and what they stand for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { DEFAULT_MAX_NEW_TOKENS, type PretrainedCogVLM } from '../models/cogvlm/index.ts';
import { loadPretrained } from '../models/cogvlm/node.ts';
import { checkFinite } from '../tensor/index.ts';
import { addBackendOptions, type BackendCliOptions, chooseBackend, requireComputes } from './backend.ts';
import type { Session } from './io.ts';
import { wholeNumber } from './numbers.ts';
import { startProgress } from './progress.ts';

/** The package's folder: two above this file, in `src` as in `dist`. */
const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The golden folders that come with the package: of a clone all, of an installed package one. */
export const SHIPPED_GOLDENS = join(PACKAGE_ROOT, 'spec', 'goldens');

/** The model that comes with the package, by its name. */
const DEFAULT_MODEL = 'first-light';

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

export interface ModelOptions extends BackendCliOptions {
  readonly model: string;
  readonly tokenizer?: string;
  /** Default float32. */
  readonly dtype?: 'float32' | 'float64';
  readonly checkFinite?: true;
}

export interface AnswerCliOptions extends ModelOptions {
  readonly maxNewTokens: number;
  readonly json?: true;
}

function modelOption(): Option {
  return new Option(
    '--model <dir>',
    'folder with config.json, tokenizer.json and the weights, or the name of a model of the package',
  ).default(DEFAULT_MODEL, `${DEFAULT_MODEL}, which comes with the package`);
}

/** What commands that answer have in common: the model, how it computes, and where an answer ends. */
export function addAnswerOptions(command: Command): Command {
  command
    .addOption(modelOption())
    .addOption(new Option('--tokenizer <dir>', 'folder with tokenizer.json, where the model has none'))
    .addOption(
      new Option('--max-new-tokens <n>', 'cut the answer after so many tokens')
        .default(DEFAULT_MAX_NEW_TOKENS)
        .argParser(wholeNumber),
    );
  return addBackendOptions(command)
    .addOption(
      new Option('--dtype <name>', 'what to compute in: float64 tells rounding from bugs')
        .choices(['float32', 'float64'])
        .default('float32'),
    )
    .option(
      '--check-finite',
      'stop at the first NaN or infinity, with the op and the module it came from (slow)',
    );
}

/** Sets the backend and loads the model onto it. */
export async function loadModel(session: Session, options: ModelOptions): Promise<PretrainedCogVLM> {
  const { dtype = 'float32' } = options;
  requireComputes(await chooseBackend(session, options), dtype);
  if (options.checkFinite) {
    checkFinite(true);
    session.closing.push(async () => checkFinite(false));
  }
  const progress = startProgress(session, 'loading', 'tensors');
  try {
    return await loadPretrained(options.model, {
      dtype,
      ...(options.tokenizer === undefined ? {} : { tokenizer: options.tokenizer }),
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
  }
}
