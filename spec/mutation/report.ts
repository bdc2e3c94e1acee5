/** What became of the mutants of each file: a table, and rows as verification has them. */
import { judge } from '../../src/verify/judge.ts';
import type { Row } from '../../src/verify/row.ts';
import { type Mutant, plain } from './kinds.ts';
import type { Outcome } from './thread.ts';

export type Verdict = {
  readonly mutant: Mutant;
  readonly ms: number;
  readonly outcome: Outcome | { readonly kind: 'equivalent'; readonly why: string };
};

export interface FileReport {
  readonly file: string;
  readonly verdicts: readonly Verdict[];
}

/** Of the mutants that differ from the source, this many have to be caught. */
export const GOAL = 0.95;

const KINDS = ['killed', 'timeout', 'survived', 'equivalent'] as const;

export type Counts = Readonly<Record<(typeof KINDS)[number], number>>;

export function counts(verdicts: readonly Verdict[]): Counts {
  const of = (kind: string) => verdicts.filter(({ outcome }) => outcome.kind === kind).length;
  return Object.fromEntries(KINDS.map((kind) => [kind, of(kind)])) as Counts;
}

/** Caught mutants as a part of those that differ from the source. */
export function score({ killed, timeout, survived }: Counts): number {
  const all = killed + timeout + survived;
  return all === 0 ? 1 : (killed + timeout) / all;
}

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;

/** "line 34: a * b → a" */
export function describe({ line, kind, from, to }: Mutant): string {
  const short = (text: string) => {
    const one = plain(text);
    return one.length > 100 ? `${one.slice(0, 97)}…` : one;
  };
  return kind === 'statement'
    ? `line ${line}: without ${short(from)}`
    : `line ${line}: ${short(from)} → ${short(to)}`;
}

const survivors = (verdicts: readonly Verdict[]) =>
  verdicts.filter(({ outcome }) => outcome.kind === 'survived');

function line(name: string, found: Counts): string {
  const total = KINDS.reduce((n, kind) => n + found[kind], 0);
  const numbers = [total, ...KINDS.map((kind) => found[kind])].map((n) => String(n).padStart(12));
  return `${name.padEnd(36)}${numbers.join('')}${percent(score(found)).padStart(12)}`;
}

/** What is not caught is said, and why it need not be. */
function told(file: string, { mutant, outcome }: Verdict): string[] {
  const place = `${file}, ${describe(mutant)}`;
  if (outcome.kind === 'survived') return [`survived    ${place}`];
  return outcome.kind === 'equivalent' ? [`equivalent  ${place} (${outcome.why})`] : [];
}

export function table(reports: readonly FileReport[]): string {
  const head = `${'file'.padEnd(36)}${['mutants', ...KINDS, 'caught'].map((name) => name.padStart(12)).join('')}`;
  const all = reports.flatMap(({ verdicts }) => verdicts);
  const kinds = [...new Set(all.map(({ mutant }) => mutant.kind))].sort();
  return [
    head,
    ...reports.map(({ file, verdicts }) => line(file, counts(verdicts))),
    line('all', counts(all)),
    '',
    head.replace('file', 'kind'),
    ...kinds.map((kind) => line(kind, counts(all.filter(({ mutant }) => mutant.kind === kind)))),
    '',
    ...reports.flatMap(({ file, verdicts }) => verdicts.flatMap((verdict) => told(file, verdict))),
  ].join('\n');
}

/** One row for each file. */
export function rows(reports: readonly FileReport[]): Row[] {
  return reports.map(({ file, verdicts }) => {
    const found = counts(verdicts);
    const caught = found.killed + found.timeout;
    const name = `${file}: ${caught} of ${caught + found.survived} mutants caught`;
    const note = survivors(verdicts)
      .map(({ mutant }) => describe(mutant))
      .join('; ');
    const broken = score(found) < GOAL ? note : null;
    return { ...judge({ subject: { name, of: file, check: 'property' }, broken }), note };
  });
}
