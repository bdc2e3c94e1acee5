/** `npm run bench`: every case on every backend that loads here. */
import { Command, InvalidArgumentError } from 'commander';
import { replaceFile } from '../src/data/replaceFile.ts';
import {
  BACKEND_NAMES,
  type Backend,
  type BackendName,
  isBackendName,
  loadBackend,
  setBackend,
} from '../src/index.ts';
import type { BenchCase } from './case.ts';
import { benchCases } from './cases.ts';
import { type Budget, flopRate, foreseen, measure, type Row } from './measure.ts';
import { type CaseReport, caseTable, headline, machine } from './report.ts';

interface Options extends Budget {
  readonly only?: RegExp;
  readonly backend?: readonly BackendName[];
  readonly json?: string;
}

interface Contestant {
  readonly backend: Backend;
  /** Operations per second, by a small matrix product. */
  readonly rate: number;
}

const DEFAULT_BACKENDS: readonly BackendName[] = ['cpu', 'wasm', 'gpujs'];

const note = (text: string) => void process.stderr.write(text);

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number of seconds above 0.');
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function backendNames(text: string): readonly BackendName[] {
  return text.split(',').map((name) => {
    if (isBackendName(name)) return name;
    throw new InvalidArgumentError(`"${name}" is none of ${BACKEND_NAMES.join(', ')}.`);
  });
}

/** @throws Error where a backend that was asked for by name does not load */
async function contestants(options: Options): Promise<Contestant[]> {
  const found: Contestant[] = [];
  for (const name of options.backend ?? DEFAULT_BACKENDS) {
    try {
      const backend = await setBackend(await loadBackend(name));
      found.push({ backend, rate: await flopRate(options) });
    } catch (error) {
      if (options.backend !== undefined) throw error;
      note(`${name} does not run here: ${(error as Error).message}\n`);
    }
  }
  return found;
}

async function rowsOf(benchCase: BenchCase, on: readonly Contestant[], budget: Budget): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { backend, rate } of on) {
    note(`${benchCase.name} on ${backend.name} …\n`);
    await setBackend(backend);
    rows.push(foreseen(benchCase, budget, rate) ?? (await measure(benchCase, budget)));
    globalThis.gc?.(); // run.mjs exposes it: one case does not pay for another's garbage
  }
  return rows;
}

async function bench(options: Options): Promise<void> {
  const all = benchCases();
  const chosen = all.filter(({ name }) => options.only?.test(name) ?? true);
  if (chosen.length === 0) {
    const names = all.map(({ name }) => `  ${name}`).join('\n');
    throw new Error(`--only ${options.only?.source} matches none of\n${names}`);
  }
  const print = (lines: readonly string[]) =>
    void (options.json === '-' ? process.stderr : process.stdout).write(`${lines.join('\n')}\n`);

  const where = machine();
  const on = await contestants(options);
  print([headline(where), ...on.map(({ backend }) => `  ${backend.describe()}`)]);
  const cases: CaseReport[] = [];
  for (const benchCase of chosen) {
    const rows = await rowsOf(benchCase, on, options);
    const report = { case: benchCase.name, work: benchCase.work, rows };
    cases.push(report);
    print(['', ...caseTable(report)]);
  }
  if (options.json === undefined) return;
  const backends = Object.fromEntries(on.map(({ backend }) => [backend.name, backend.describe()]));
  const json = `${JSON.stringify({ machine: where, backends, seconds: options.seconds, cases }, null, 2)}\n`;
  if (options.json === '-') process.stdout.write(json);
  else await replaceFile(options.json, json);
}

const program = new Command('npm run bench --')
  .description('Times the kernels and the hot paths of the model on each backend. Close what else runs.')
  .option('--only <regex>', 'cases whose name matches, case aside', pattern)
  .option(
    '--backend <names>',
    `any of ${BACKEND_NAMES.join(',')} (default: those of ${DEFAULT_BACKENDS.join(',')} that run here)`,
    backendNames,
  )
  .option('--seconds <n>', 'measuring time of a case on a backend', seconds, 0.5)
  .option('--limit <n>', 'skip a case of which one call takes more seconds', seconds, 5)
  .option('--json <file>', 'write the figures as JSON as well; - is standard output, in place of the tables');

try {
  await bench(program.parse().opts<Options>());
} catch (error) {
  note(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
