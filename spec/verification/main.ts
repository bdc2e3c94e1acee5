/** npm run verify: everything that can be asked of this library's numbers, a summary, and a page with every row. */
import { cpus } from 'node:os';
import { Command } from 'commander';
import { replaceFile } from '../../src/data/replaceFile.ts';
import { BACKEND_NAMES, loadBackend } from '../../src/kernels/registry.ts';
import { reportHtml } from '../../src/verify/report/html.ts';
import type { Report, ReportSection } from '../../src/verify/report/report.ts';
import { type Part, parts, sectionOf } from './sections.ts';
import { summaryLines } from './summary.ts';

interface VerificationOptions {
  readonly report: string;
  readonly mutants: boolean;
  readonly thorough?: true;
  readonly only?: RegExp;
}

const titleOf = ({ title, backend, dtype }: Pick<Part, 'title' | 'backend' | 'dtype'>) =>
  [title, backend, dtype].filter((part) => part !== '').join(' · ');

async function verify({ report: file, mutants, thorough, only }: VerificationOptions): Promise<void> {
  const wanted = parts(thorough ? 'thorough' : 'quick', mutants).filter(
    (part) => only?.test(titleOf(part)) ?? true,
  );
  if (wanted.length === 0) throw new Error(`verify: no part fits ${only}`);
  const sections: ReportSection[] = [];
  for (const [i, part] of wanted.entries()) {
    const section = await sectionOf(part);
    sections.push(section);
    const ok = section.rows.filter(({ status }) => status === 'OK').length;
    console.log(
      `[${i + 1}/${wanted.length}] ${titleOf(part)}: ${ok} of ${section.rows.length}, ${section.seconds.toFixed(1)} s`,
    );
    for (const { name, status, note } of section.rows)
      if (status !== 'OK') console.log(`    ${status} ${name}: ${note}`);
  }
  const report: Report = {
    title: 'CogVLM in TypeScript: verification',
    made: new Date().toISOString(),
    machine: await machine(),
    versions: { node: process.version, v8: process.versions.v8 },
    sections,
  };
  await replaceFile(file, reportHtml(report));
  const lines = summaryLines(report);
  console.log(`\n${lines.join('\n')}\n${file} has every row`);
  if (sections.some(({ rows }) => rows.length === 0 || rows.some(({ status }) => status !== 'OK')))
    process.exitCode = 1;
}

async function machine(): Promise<string> {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  const backends = await Promise.all(BACKEND_NAMES.map(async (name) => (await loadBackend(name)).describe()));
  return [processor, ...backends].join('; ');
}

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('verify')
    .description(
      'Compares every op, module, model and training step with PyTorch on every backend, looks for models that break ' +
        'an invariant, plants faults in the source and mutates its formulas. Exit status 1 if anything is not OK.',
    )
    .option('--report <file>', 'the page with every row', 'verification.html')
    .option('--thorough', 'invariants on ten times as many random models')
    .option('--no-mutants', 'leave out the mutants of the formulas')
    .option('--only <pattern>', 'only parts whose title fits', (text) => new RegExp(text, 'i'))
    .action(verify);
  await program.parseAsync(argv, { from: 'user' });
}
