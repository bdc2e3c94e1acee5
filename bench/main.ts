/** `npm run bench`: every case on every backend that loads here, against what the machine can do at most. */
import { Command } from 'commander';
import { replaceFile } from '../src/data/replaceFile.ts';
import { setBackend } from '../src/index.ts';
import { BACKEND_NAMES } from '../src/kernels/index.ts';
import type { BenchCase } from './case.ts';
import { benchCases } from './cases.ts';
import { type Choice, type Contestant, contestants } from './contestants.ts';
import { againstLimit, type Budget, foreseen, measure, type Row } from './measure.ts';
import { namesOf, pattern, seconds, threadCounts } from './options.ts';
import { type Progress, startProgress } from './progress.ts';
import { type CaseReport, caseTable, headline, machine, rooflineLine } from './report.ts';

interface Options extends Choice {
  readonly only?: RegExp;
  readonly json?: string;
}

const note = (text: string) => void process.stderr.write(text);

async function rowsOf(
  benchCase: BenchCase,
  on: readonly Contestant[],
  budget: Budget,
  progress: Progress,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { label, backend, rate, roofline } of on) {
    progress.next(`${benchCase.name} on ${label}`);
    await setBackend(backend);
    const row = foreseen(benchCase, budget, rate, label) ?? (await measure(benchCase, budget, label));
    rows.push(againstLimit(row, benchCase.work, roofline));
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
  const on = await contestants(options, note);
  const limits = new Map(on.map(({ label, roofline }) => [roofline, label]));
  print([
    headline(where),
    ...on.map(({ label, backend }) => `  ${label}: ${backend.describe()}`),
    ...[...limits].map(([roofline, label]) => `  ${rooflineLine(label, roofline)}`),
  ]);
  const cases: CaseReport[] = [];
  const progress = startProgress(chosen.length * on.length);
  try {
    for (const benchCase of chosen) {
      const rows = await rowsOf(benchCase, on, options, progress);
      const report = { case: benchCase.name, work: benchCase.work, rows };
      cases.push(report);
      progress.print(() => print(['', ...caseTable(report)]));
    }
  } finally {
    progress.stop();
  }
  if (options.json === undefined) return;
  const backends = Object.fromEntries(
    on.map(({ label, backend, roofline }) => [label, { describe: backend.describe(), roofline }]),
  );
  const json = `${JSON.stringify({ machine: where, backends, seconds: options.seconds, cases }, null, 2)}\n`;
  if (options.json === '-') process.stdout.write(json);
  else await replaceFile(options.json, json);
}

const program = new Command('npm run bench --')
  .description('Times the kernels and the hot paths of the model on each backend. Close what else runs.')
  .option('--only <regex>', 'cases whose name matches, case aside', pattern)
  .option(
    '--backend <names>',
    `any of ${BACKEND_NAMES.join(',')} (default: those of cpu,wasm,gpujs that run here)`,
    namesOf(BACKEND_NAMES),
  )
  .option('--threads <list>', 'numbers of threads for the wasm backend, such as 1,2', threadCounts, [1])
  .option('--plain', 'wasm without relaxed SIMD (fused multiply-add)', false)
  .option('--seconds <n>', 'measuring time of a case on a backend', seconds, 0.5)
  .option('--limit <n>', 'skip a case of which one call takes more seconds', seconds, 5)
  .option('--json <file>', 'write the figures as JSON as well; - is standard output, in place of the tables');

try {
  await bench(program.parse().opts<Options>());
} catch (error) {
  note(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
