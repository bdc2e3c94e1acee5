/** npm run mutate [-- FILTER… --json FILE --equivalents --all]: how many spoiled versions of the source the tests notice. */
import { Command } from 'commander';
import { replaceFile } from '../../src/data/replaceFile.ts';
import { counts, describe, GOAL, rows, score, table } from './report.ts';
import { mutateTargets } from './run.ts';
import { TARGETS } from './targets.ts';

interface Options {
  readonly json?: string;
  readonly equivalents?: true;
  readonly all?: true;
}

async function run(filters: readonly string[], { json, equivalents, all }: Options): Promise<void> {
  const targets = TARGETS.filter(
    ({ file }) => filters.length === 0 || filters.some((part) => file.includes(part)),
  );
  if (targets.length === 0) throw new Error(`mutate: no file fits ${filters.join(', ')}`);
  const begun = performance.now();
  const reports = await mutateTargets(targets, {
    equivalents: equivalents === true,
    onFile: ({ file, verdicts }, seconds) => {
      console.error(`${file}: ${verdicts.length} mutants, ${seconds.toFixed(1)} s`);
      if (all === undefined) return;
      for (const verdict of verdicts) {
        const { outcome, ms } = verdict;
        const by = 'by' in outcome ? ` by ${outcome.by}: ${outcome.message.split('\n')[0]}` : '';
        console.log(`${outcome.kind} ${file}, ${describe(verdict.mutant)}${by} (${ms.toFixed(0)} ms)`);
      }
    },
  });
  console.log(`${table(reports)}\n${((performance.now() - begun) / 1000).toFixed(0)} s`);
  if (json !== undefined) await replaceFile(json, `${JSON.stringify(rows(reports), null, 1)}\n`);
  if (score(counts(reports.flatMap(({ verdicts }) => verdicts))) < GOAL) process.exitCode = 1;
}

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('mutate')
    .description('Spoils the source place by place and counts how often the tests notice.')
    .argument('[filters...]', 'parts of paths; all files unless given')
    .option('--json <file>', 'also writes rows as verification has them')
    .option('--equivalents', 'also runs the mutants that are said to be no other program')
    .option('--all', 'prints every mutant and what caught it')
    .action(run);
  await program.parseAsync([...argv], { from: 'user' });
}
