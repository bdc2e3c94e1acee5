/** The summary of a verification in lines of text. */
import { table } from '../../src/cli/table.ts';
import {
  type Report,
  type ReportSection,
  summarizeReport,
  torchRatios,
} from '../../src/verify/report/report.ts';
import type { Row } from '../../src/verify/row.ts';
import { FLOAT32_EXCEPTIONS } from '../../src/verify/tolerances.ts';

/** What people ask for, and the rows that answer. */
const QUESTIONS: readonly (readonly [
  title: string,
  answers: (section: ReportSection, row: Row) => boolean,
])[] = [
  ['ops: values', ({ title }, { check }) => title === 'ops' && check === 'value'],
  ['ops: gradients', ({ title }, { check }) => title === 'ops' && check === 'gradient'],
  ['ops: gradients by differences', ({ title }, { check }) => title === 'ops' && check === 'gradcheck'],
  ['ops: fused ones beside definitions', ({ title }, { check }) => title === 'ops' && check === 'definition'],
  ['ops: error texts', ({ title }, { check }) => title === 'ops' && check === 'error text'],
  ['modules: values', ({ title }, { check }) => title === 'modules' && check === 'value'],
  ['modules: gradients', ({ title }, { check }) => title === 'modules' && /^grad/.test(check)],
  ['whole models', ({ title }) => /^cogvlm2?$/.test(title)],
  ['models, module by module', ({ title }) => title.endsWith('module by module')],
  ['training curves and optimiser', ({ title }) => title === 'training'],
  ['ONNX operator tests', ({ title }) => title === 'onnx'],
  ['pictures', ({ title }) => title === 'preprocess'],
  ['invariants', ({ title }) => title === 'invariants'],
  ['planted faults named', ({ title }) => title === 'planted faults'],
  ['files whose mutants are caught', ({ title }) => title === 'mutants'],
];

const short = (x: number | null | undefined) => (x === null || x === undefined ? '' : x.toPrecision(2));

/** A line for each question: how many rows agree, and float32 errors as multiples of PyTorch's own. */
export function summaryLines(report: Report): string[] {
  const lines = QUESTIONS.flatMap(([title, answers]) => {
    const found = report.sections.map((section) => ({
      section,
      rows: section.rows.filter((row) => answers(section, row)),
    }));
    const rows = found.flatMap((one) => one.rows);
    if (rows.length === 0) return [];
    const single = found.filter(({ section }) => section.dtype === 'float32').flatMap((one) => one.rows);
    const ratios = torchRatios(single, 'float32');
    const ok = rows.filter(({ status }) => status === 'OK').length;
    const errors = [ratios?.median, ratios?.p90, ratios?.max].map(short);
    return [[title, `${ok} of ${rows.length}`, ...errors]];
  });
  const { ok, okRows, rows } = summarizeReport(report);
  return [
    ...table([['', 'agree', "float32 error / PyTorch's: median", '90 %', 'worst'], ...lines], [1, 2, 3, 4]),
    '',
    `${ok ? 'OK' : 'NOT OK'}: ${okRows} of ${rows} rows; exceptions from twice PyTorch's float32 error: ${FLOAT32_EXCEPTIONS.length}, each with its reason in src/verify/tolerances.ts`,
  ];
}
