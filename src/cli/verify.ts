/** cogvlm verify DIR…: golden folders, each tensor against what PyTorch computed. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { replaceFile } from '../data/replaceFile.ts';
import type { BackendName } from '../kernels/registry.ts';
import type { Row } from '../verify/judge.ts';
import type { VerifyDType } from '../verify/model.ts';
import { goldenFolder } from '../verify/node.ts';
import { type FolderReport, type Summary, summarize, verifyFolder } from '../verify/verify.ts';
import { addBackendOptions, type BackendCliOptions, chooseBackend } from './backend.ts';
import { fail, paint, type Session, UsageError } from './io.ts';
import { startProgress } from './progress.ts';
import { table } from './table.ts';

interface VerifyCliOptions extends BackendCliOptions {
  readonly dtype: VerifyDType;
  readonly json?: string;
  readonly quiet?: true;
  readonly plain?: true;
}

/** The same kernels without what rounding does to their results (docs/numerics.md). */
const EXACT_TWIN: Readonly<Partial<Record<BackendName, BackendName>>> = {
  wasm: 'wasm-exact',
  gpujs: 'gpujs-exact',
};

type FolderResult =
  | (FolderReport & { readonly ok: boolean; readonly seconds: number; readonly summary: Summary })
  | { readonly folder: string; readonly ok: false; readonly error: string };

export function addVerify(program: Command, session: Session): void {
  const command = program
    .command('verify')
    .summary('compare with PyTorch')
    .description(
      'Compares every tensor of golden folders with what the original PyTorch code computed.\n' +
        'A folder of golden folders stands for those in it. Exit status 1 if anything is not OK.',
    )
    .argument('<dir...>', 'golden folders')
    .addOption(
      new Option('--dtype <name>', 'what to compute in').choices(['float32', 'float64']).default('float32'),
    )
    .option('--json <file>', 'also write all rows as JSON; - is the standard output, and nothing else then')
    .option(
      '--plain',
      "wasm, gpujs: what float32 makes of it, not what the kernels' faults alone make of it (docs/numerics.md)",
    )
    .option('--quiet', 'print only rows that are not OK, and the summaries');
  addBackendOptions(command, 'cpu') // the specification; it has float64, too
    .action((folders: string[], options: VerifyCliOptions) => verify(session, folders, options));
}

async function verify(session: Session, given: readonly string[], options: VerifyCliOptions): Promise<void> {
  // The twin cannot wait for results, as WebGPU makes its users do.
  const plain = options.plain || options.dtype === 'float64' || options.mode === 'webgpu';
  const exact = plain ? undefined : EXACT_TWIN[options.backend];
  const backend = await chooseBackend(session, options, exact);
  if (exact === 'wasm-exact') session.err(`${backend.describe()}\n`);
  if (!backend.dtypes.includes(options.dtype)) {
    throw new UsageError(
      `verify: the ${backend.name} backend computes in ${backend.dtypes.join(', ')}, not in ${options.dtype}; --backend cpu does`,
    );
  }
  const folders = (await Promise.all(given.map(expand))).flat();
  const results: FolderResult[] = [];
  const progress = startProgress(session, 'verifying', 'folders', 0);
  for (const [i, folder] of folders.entries()) {
    progress.update(i, folders.length);
    const result = await verifyOne(folder, options.dtype);
    progress.stop();
    results.push(result);
    if ('error' in result) fail(session, result.error);
    else if (options.json !== '-') session.out(folderText(session, result, options));
    if (!result.ok) session.status = 1;
  }
  if (options.json === undefined) return;
  const text = jsonText({
    backend: backend.name,
    dtype: options.dtype,
    ok: results.every(({ ok }) => ok),
    folders: results,
  });
  if (options.json === '-') session.out(text);
  else await replaceFile(options.json, text);
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
  return has('case.json') || (has('manifest.json') && has('expected.safetensors'));
}

async function verifyOne(folder: string, dtype: VerifyDType): Promise<FolderResult> {
  const begun = performance.now();
  try {
    const report = await verifyFolder(goldenFolder(folder), dtype);
    const summary = summarize(report);
    const seconds = (performance.now() - begun) / 1000;
    return { ...report, ok: summary.bad === 0 && summary.ok > 0, seconds, summary };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { folder, ok: false, error: message.startsWith(folder) ? message : `${folder}: ${message}` };
  }
}

function folderText(
  session: Session,
  result: Extract<FolderResult, FolderReport>,
  { quiet, dtype, backend }: VerifyCliOptions,
): string {
  const rows = quiet ? result.rows.filter(({ status }) => status !== 'OK') : result.rows;
  const lines: string[] = [];
  if (rows.length > 0) {
    const [head, ...body] = table([HEAD, ...rows.map(cells)], [2, 3]);
    lines.push(paint(session, 'dim', head));
    for (const [i, line] of body.entries()) {
      lines.push(rows[i].status === 'OK' ? line : paint(session, 'red', line));
    }
  }
  const { ok, bad, worst, medianTorchRatio } = result.summary;
  const verdict = paint(session, result.ok ? 'green' : 'red', result.ok ? 'OK' : 'NOT OK');
  const parts = [
    `${result.folder}: ${verdict}`,
    `${ok} of ${ok + bad} tensors agree`,
    medianTorchRatio === null
      ? ''
      : `median error ${medianTorchRatio.toPrecision(2)} × PyTorch's float32 error`,
    worst === null ? '' : `worst ${worst.name} at ${worst.ratio.toPrecision(2)} of what is allowed`,
    `${dtype} on ${backend}`,
    `${result.seconds.toFixed(1)} s`,
  ];
  lines.push(parts.filter((part) => part !== '').join(' · '));
  return `${lines.join('\n')}\n`;
}

const HEAD = ['tensor', 'shape', 'error', "PyTorch's", 'status'];

function cells({ name, shape, error, torchError, status, note, measure }: Row): string[] {
  return [
    name,
    `[${shape.join(',')}]`,
    measure === 'mean' ? `mean ${scientific(error)}` : scientific(error),
    scientific(torchError),
    status === 'OK' ? status : `${status} (${note})`,
  ];
}

function scientific(error: number | null): string {
  if (error === null) return '-';
  return error === 0 ? '0' : error.toExponential(2);
}

/** JSON has no Infinity and NaN; they are written as texts. */
function jsonText(value: unknown): string {
  const spelled = (_: string, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v);
  return `${JSON.stringify(value, spelled, 2)}\n`;
}
