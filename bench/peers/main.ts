/** `npm run bench:peers`: this library against others that run in JavaScript, and against PyTorch. (Node only) */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { replaceFile } from '../../src/data/replaceFile.ts';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { threadLabel } from '../contestants.ts';
import { namesOf, pattern, seconds, threadCounts, whole } from '../options.ts';
import { startProgress } from '../progress.ts';
import { headline, machine, rooflineLine } from '../report.ts';
import { measureRoofline } from '../roofline/measure.ts';
import { killAll } from './child.ts';
import { compare, type Plan, Rates } from './compare.ts';
import { contestants, NAMES, type Name } from './contestants.ts';
import { withResults } from './markers.ts';
import { rowCases } from './rows.ts';
import { markdown, type Report, type Result, rowTable } from './table.ts';

interface Options extends Plan {
  readonly only?: RegExp;
  readonly peers: readonly Name[];
  readonly threads: readonly number[];
  readonly json?: string;
  readonly md?: string;
}

const note = (text: string) => void process.stderr.write(text);
const print = (lines: readonly string[]) => void process.stdout.write(`${lines.join('\n')}\n`);

/** The page that `--md` names, if it is there, must have a place for results; said before an hour of measuring. */
async function pageOf(file: string): Promise<string | null> {
  let page: string;
  try {
    page = await readFile(file, 'utf8');
  } catch {
    return null;
  }
  withResults(page, '', file);
  return page;
}

async function run(options: Options): Promise<void> {
  const all = rowCases();
  const rows = all.filter(({ name }) => options.only?.test(name) ?? true);
  if (rows.length === 0) {
    const names = all.map(({ name }) => `  ${name}`).join('\n');
    throw new Error(`--only ${options.only?.source} matches none of\n${names}`);
  }
  const page = options.md === undefined ? null : await pageOf(options.md);
  const where = machine();
  const { found, notes } = await contestants(options.peers, options.threads);
  const rooflines: Report['rooflines'][number][] = [];
  for (const threads of options.threads) {
    rooflines.push({ threads, roofline: await measureRoofline(threads, hasRelaxedSimd()) });
  }
  print([
    headline(where),
    ...rooflines.map(({ threads, roofline }) => `  ${rooflineLine(threadLabel(threads), roofline)}`),
    ...notes,
  ]);
  const results: Result[] = [];
  const rates = new Rates();
  const progress = startProgress(rows.length);
  try {
    for (const row of rows) {
      progress.next(row.name);
      const result = { row, cells: await compare(row, found, options, rates, progress.now) };
      results.push(result);
      progress.print(() => print(['', ...rowTable(result)]));
    }
  } finally {
    progress.stop();
  }
  const report: Report = {
    machine: where,
    rooflines,
    rounds: options.rounds,
    seconds: options.seconds,
    results,
    notes,
  };
  if (options.json !== undefined) await replaceFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.md !== undefined) {
    const text = markdown(report);
    await replaceFile(options.md, page === null ? text : withResults(page, text, options.md));
  }
}

process.on('exit', () => killAll());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const program = new Command('npm run bench:peers --')
  .description('Times this library against others, each in a process of its own. Close what else runs.')
  .option('--only <regex>', 'rows whose name matches, case aside', pattern)
  .option('--peers <names>', `any of ${NAMES.join(',')}`, namesOf(NAMES), NAMES)
  .option('--threads <list>', 'numbers of threads', threadCounts, [1, 2])
  .option('--rounds <n>', 'how many times each has its turn', whole, 3)
  .option('--seconds <n>', 'measuring time of each in a round', seconds, 0.25)
  .option('--limit <n>', 'leave out what takes more seconds for a call', seconds, 15)
  .option('--json <file>', 'write the figures as JSON as well')
  .option('--md <file>', 'write the tables as Markdown, between the two comments of a page that is there');

try {
  await run(program.parse().opts<Options>());
  process.exit();
} catch (error) {
  note(`bench:peers: ${(error as Error).message}\n`);
  process.exit(1);
}
