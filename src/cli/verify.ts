/** cogvlm verify DIR…: golden folders, each result against what PyTorch computed. */
import { readdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import { replaceFile } from '../data/node.ts';
import type { Backend } from '../kernels/index.ts';
import { setBackend } from '../tensor/index.ts';
import {
  asItIs,
  computing,
  ElsewhereError,
  type FloatDType,
  type FolderKind,
  folderKind,
  type Report,
  reportHtml,
  summarize,
  verifyKind,
} from '../verify/index.ts';
import { goldenFolder } from '../verify/node.ts';
import {
  addBackendOptions,
  type BackendCliOptions,
  backendText,
  chooseBackend,
  requireComputes,
} from './backend.ts';
import { fail, type Session, UsageError } from './io.ts';
import { SHIPPED_GOLDENS } from './options.ts';
import { startProgress } from './progress.ts';
import { folderText, jsonText, type VerifiedFolder } from './verifyText.ts';
import { runTrace } from './verifyTrace.ts';

interface VerifyCliOptions extends BackendCliOptions {
  readonly dtype: FloatDType;
  readonly trace?: true;
  readonly json?: string;
  readonly report?: string;
  readonly quiet?: true;
  readonly plain?: true;
}

type FolderResult = VerifiedFolder | { readonly folder: string; readonly ok: false; readonly error: string };

export function addVerify(program: Command, session: Session): void {
  const command = program
    .command('verify')
    .summary('compare with PyTorch')
    .description(
      'Compares golden folders with what PyTorch computed: whole models, every op and module with its gradients,\n' +
        'training and pictures. A folder of golden folders stands for those in it.\n' +
        'Exit status 1 if anything is not OK.',
    )
    .addArgument(
      new Argument('[dir...]', 'golden folders').default(
        [SHIPPED_GOLDENS],
        'those that come with the package: in a clone all, in an installed package those of the modules',
      ),
    )
    .addOption(
      new Option('--dtype <name>', 'what to compute in').choices(['float32', 'float64']).default('float32'),
    )
    .option(
      '--trace',
      'models only: run each module alone on its golden input, in float64 on cpu and in float32, and name the ' +
        'first that is at fault',
    )
    .option('--json <file>', 'also write all rows as JSON; - is the standard output, and nothing else then')
    .option('--report <file>', 'also write all rows as an HTML page to filter and sort them')
    .option(
      '--plain',
      "wasm, gpujs: what float32 makes of whole models, not what the kernels' faults alone make of them (docs/numerics.md)",
    )
    .option('--quiet', 'print only rows that are not OK, and the summaries');
  addBackendOptions(command, 'cpu') // the specification; it has float64, too
    .action((folders: string[], options: VerifyCliOptions) => verify(session, folders, options));
}

async function verify(session: Session, given: readonly string[], options: VerifyCliOptions): Promise<void> {
  const folders = (await Promise.all(given.map(expand))).flat();
  if (options.trace) return trace(session, folders, options);
  const plain = await chooseBackend(session, options);
  requireComputes(plain, options.dtype);
  const backendOf = backendsByKind(session, plain, options);
  const results: FolderResult[] = [];
  const progress = startProgress(session, 'verifying', 'folders', 0);
  for (const [i, folder] of folders.entries()) {
    progress.update(i, folders.length);
    const result = await verifyOne(folder, options.dtype, backendOf);
    progress.stop();
    if ('elsewhere' in result) {
      session.err(`${result.elsewhere}\n`);
      continue;
    }
    results.push(result);
    if ('error' in result) fail(session, result.error);
    else if (options.json !== '-') {
      session.out(folderText(session, result, options.quiet ?? false, options.dtype));
    }
    if (!result.ok) session.status = 1;
  }
  const { backend, dtype } = options;
  if (results.length === 0) fail(session, 'verify: nothing was verified');
  const ok = results.length > 0 && results.every((result) => result.ok);
  await writeJson(session, options.json, { backend, dtype, ok, folders: results });
  if (options.report !== undefined)
    await replaceFile(options.report, reportHtml(reportOf(results, dtype, plain.describe())));
}

/** Makes the backend of a kind of folder the one in use, and tells its name. */
type BackendOf = (kind: FolderKind) => Promise<string>;

/** A twin is told of when it is first used. */
function backendsByKind(session: Session, plain: Backend, options: VerifyCliOptions): BackendOf {
  const { backend: asked, dtype, mode } = options;
  let told = false;
  return async (kind) => {
    // The twin cannot wait for results, as WebGPU makes its users do.
    const { name, on } = options.plain || mode === 'webgpu' ? asItIs(asked) : computing(kind, dtype, asked);
    const backend = await setBackend(on(plain));
    if (backend !== plain && !told) session.err(`${backend.describe()}\n`);
    told ||= backend !== plain;
    return backendText(options, name);
  };
}

async function trace(session: Session, folders: readonly string[], options: VerifyCliOptions): Promise<void> {
  for (const [name, given] of Object.entries({ '--report': options.report, '--plain': options.plain }))
    if (given !== undefined) throw new UsageError(`verify: --trace has no ${name}`);
  const results = await runTrace(session, folders, options);
  const ok = results.every(({ fault }) => fault === null);
  await writeJson(session, options.json, { backend: options.backend, ok, folders: results });
}

async function writeJson(session: Session, file: string | undefined, value: unknown): Promise<void> {
  if (file === '-') session.out(jsonText(value));
  else if (file !== undefined) await replaceFile(file, jsonText(value));
}

/** The folder itself, or the golden folders in it where it is none. */
async function expand(folder: string): Promise<string[]> {
  if (await isGolden(folder)) return [folder];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const golden: string[] = [];
  for (const path of inside.sort()) if (await isGolden(path)) golden.push(path);
  return golden.length === 0 ? [folder] : golden; // what is wrong with it is told by reading it
}

async function isGolden(path: string): Promise<boolean> {
  const names: string[] = await readdir(path).catch(() => []);
  const has = (name: string): boolean => names.includes(name);
  const tensors = names.some((name) => name.endsWith('.safetensors'));
  return has('case.json') || (has('manifest.json') && tensors);
}

async function verifyOne(
  path: string,
  dtype: FloatDType,
  backendOf: BackendOf,
): Promise<FolderResult | { readonly elsewhere: string }> {
  const begun = performance.now();
  try {
    const folder = goldenFolder(path);
    const kind = await folderKind(folder);
    const backend = await backendOf(kind);
    const report = await verifyKind(kind, folder, dtype);
    const summary = summarize(report);
    const seconds = (performance.now() - begun) / 1000;
    return { ...report, backend, ok: summary.bad === 0 && summary.ok > 0, seconds, summary };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ElsewhereError) return { elsewhere: message };
    return { folder: path, ok: false, error: message.startsWith(path) ? message : `${path}: ${message}` };
  }
}

/** A folder that could not be read has a section without rows, which is not OK. */
function reportOf(results: readonly FolderResult[], dtype: string, described: string): Report {
  const [{ model = 'unknown processor' } = {}] = cpus();
  return {
    title: 'cogvlm verify',
    made: new Date().toISOString(),
    machine: `${model.trim()}, Node ${process.version}; ${described}`,
    versions: { node: process.version },
    sections: results.map((result) => ({
      title: basename(result.folder),
      backend: 'backend' in result ? result.backend : '',
      dtype,
      rows: 'rows' in result ? result.rows : [],
      seconds: 'seconds' in result ? result.seconds : 0,
    })),
  };
}
