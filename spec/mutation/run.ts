/** All mutants of all targets, one after another (Node only). */
import { join } from 'node:path';
import type { Row } from '../../src/verify/row.ts';
import { readTyped, type Typed } from './alike.ts';
import { bundleMutants, writeBundle } from './bundle.ts';
import { equivalence, staleEquivalents } from './equivalents.ts';
import { describe, type FileReport, rows, type Verdict } from './report.ts';
import { TARGETS, type Target } from './targets.ts';
import { Thread } from './thread.ts';

export interface MutationOptions {
  /** Also runs the mutants that are said to be no other program; one that is caught is an error. */
  readonly equivalents?: boolean;
  readonly onFile?: (report: FileReport, seconds: number) => void;
}

export async function mutateTargets(
  targets: readonly Target[],
  { equivalents = false, onFile }: MutationOptions = {},
): Promise<FileReport[]> {
  const typed = readTyped(targets.map(({ file }) => file));
  const program = await writeBundle(join(import.meta.dirname, 'worker.ts'));
  const thread = new Thread(new URL(program.url));
  const reports: FileReport[] = [];
  try {
    for (const target of targets) {
      const start = performance.now();
      const report = await mutateTarget(target, typed, thread, equivalents);
      reports.push(report);
      onFile?.(report, (performance.now() - start) / 1000);
    }
  } finally {
    await thread.close();
    program.remove();
  }
  return reports;
}

async function mutateTarget(
  { file, checks, stateful }: Target,
  { source, alike }: Typed,
  thread: Thread,
  withEquivalents: boolean,
): Promise<FileReport> {
  const specs = checks.map((name) => name.split(':')[0]).filter((name) => name.endsWith('.spec.ts'));
  const { url, mutants, remove } = await bundleMutants(source(file), specs, alike);
  try {
    const [stale] = staleEquivalents(file, mutants);
    if (stale !== undefined) throw new Error(`equivalents.ts: ${stale}`);
    const verdicts: Verdict[] = [];
    for (const mutant of mutants) {
      const why = equivalence(file, mutant);
      const apart = why === null ? null : ({ mutant, ms: 0, outcome: { kind: 'equivalent', why } } as const);
      if (apart !== null && !withEquivalents) {
        verdicts.push(apart);
        continue;
      }
      const anew = stateful === true || mutant.atLoad;
      const start = performance.now();
      const outcome = await thread.judge({ url, id: mutant.id, anew, checks });
      const verdict: Verdict = { mutant, ms: performance.now() - start, outcome };
      if (apart !== null && outcome.kind !== 'survived')
        throw new Error(`equivalents.ts: ${file}, ${describe(mutant)} is caught: ${outcome.message}`);
      verdicts.push(apart ?? verdict);
    }
    const { kind } = await thread.judge({ url, id: 0, anew: false, checks: checks.slice(0, 2) });
    if (kind !== 'survived') throw new Error(`${file}: its mutants leave something behind; mark it stateful`);
    return { file, verdicts };
  } finally {
    remove();
  }
}

/** One row for each file, for the report of a verification. */
export async function mutationRows(onFile: MutationOptions['onFile']): Promise<readonly Row[]> {
  return rows(await mutateTargets(TARGETS, onFile === undefined ? {} : { onFile }));
}
