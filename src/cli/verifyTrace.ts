/**
 * cogvlm verify --trace DIR…: the golden models module by module, each on the golden's own input, in float64 on cpu and in
 * float32 on the chosen backend; and the first module whose own error is out of line.
 */
import { setBackend } from '../tensor/index.ts';
import { type GoldenFolder, moduleAtFault, type TraceRow, traceModel } from '../verify/index.ts';
import { goldenFolder } from '../verify/node.ts';
import { type BackendCliOptions, backendText, chooseBackend } from './backend.ts';
import { fail, paint, type Session } from './io.ts';
import { startProgress } from './progress.ts';
import { table } from './table.ts';
import { scientific } from './verifyText.ts';

export interface TraceCliOptions extends BackendCliOptions {
  /** Only rows that are not OK. */
  readonly quiet?: true;
  /** '-': the standard output is for JSON, and nothing else is printed. */
  readonly json?: string;
}

/** One result of one module in both dtypes. */
export interface TracePair {
  readonly float64: TraceRow;
  readonly float32: TraceRow;
}

export interface TraceResult {
  readonly folder: string;
  readonly rows: readonly TracePair[];
  /** Path of the module ('' for the whole model), "position_ids" or "vision_expert_mask"; null where all are right. */
  readonly fault: string | null;
}

/**
 * Prints a table and a verdict for every folder with a trace; those of another kind beside them are left out.
 * Exit status 1 where something is named or cannot be traced.
 */
export async function runTrace(
  session: Session,
  paths: readonly string[],
  options: TraceCliOptions,
): Promise<TraceResult[]> {
  const folders = await traced(session, paths.map(goldenFolder));
  const backend = await chooseBackend(session, options);
  const results: TraceResult[] = [];
  const progress = startProgress(session, 'verifying', 'models');
  for (const [i, folder] of folders.entries()) {
    progress.update(i, folders.length);
    try {
      await setBackend('cpu');
      const float64 = await traceModel(folder, 'float64');
      await setBackend(backend);
      const float32 = await traceModel(folder, 'float32');
      const rows = float64.map((row, n): TracePair => ({ float64: row, float32: float32[n] }));
      const fault = moduleAtFault(rows.flatMap((pair) => [pair.float64, pair.float32]));
      results.push({ folder: folder.label, rows, fault });
      progress.stop();
      if (options.json !== '-') session.out(resultText(session, results[results.length - 1], options));
      if (fault !== null) session.status = 1;
    } catch (error) {
      progress.stop();
      const message = error instanceof Error ? error.message : String(error);
      fail(session, message.startsWith(folder.label) ? message : `${folder.label}: ${message}`);
    }
  }
  progress.stop();
  return results;
}

/** The folders that have a trace, or must have one. */
async function traced(session: Session, folders: readonly GoldenFolder[]): Promise<GoldenFolder[]> {
  const found: GoldenFolder[] = [];
  for (const folder of folders) {
    try {
      const names = await folder.list();
      if (names.includes('trace.json')) found.push(folder);
      else if (names.includes('case.json') || folders.length === 1)
        fail(session, `${folder.label} has no trace.json, which verify --trace needs`);
    } catch (error) {
      fail(session, error);
    }
  }
  if (found.length === 0 && session.status === 0) fail(session, 'none of the folders has a trace.json');
  return found;
}

const HEAD = [
  'module',
  'result',
  'shape',
  'float64 max',
  'mean',
  'float32 max',
  'mean',
  "PyTorch's",
  'status',
];

function resultText(
  session: Session,
  { folder, rows, fault }: TraceResult,
  options: TraceCliOptions,
): string {
  const shown = options.quiet ? rows.filter((pair) => wrong(pair).length > 0) : rows;
  const lines: string[] = [];
  if (shown.length > 0) {
    const [head, ...body] = table([HEAD, ...shown.map(cells)], [3, 4, 5, 6, 7]);
    lines.push(paint(session, 'dim', head));
    for (const [i, line] of body.entries()) {
      lines.push(wrong(shown[i]).length === 0 ? line : paint(session, 'red', line));
    }
  }
  const modules = new Set(rows.flatMap(({ float64: { of, name } }) => (of === name ? [] : [of]))).size;
  const verdict =
    fault === null
      ? paint(session, 'green', `position ids, expert mask and all ${modules} modules are right`)
      : paint(session, 'red', `the first at fault is ${spoken(fault)}`);
  lines.push(`${folder}: ${verdict} · float64 on cpu, float32 on ${backendText(options)}`);
  return `${lines.join('\n')}\n`;
}

function wrong({ float64, float32 }: TracePair): TraceRow[] {
  return [float64, float32].filter(({ status }) => status !== 'OK');
}

function cells(pair: TracePair): string[] {
  const { float64, float32 } = pair;
  const [worst] = wrong(pair);
  const dtype = worst === float64 ? 'float64' : 'float32';
  return [
    spoken(float64.of),
    float64.check === 'gradient' ? 'input gradient' : 'output',
    `[${float64.shape.join(',')}]`,
    scientific(float64.error),
    scientific(float64.mean),
    scientific(float32.error),
    scientific(float32.mean),
    scientific(float64.torchError),
    worst === undefined ? 'OK' : `${worst.status} (${dtype}: ${worst.note})`,
  ];
}

/** The root's path is empty. */
function spoken(path: string): string {
  return path === '' ? 'the whole model' : path;
}
