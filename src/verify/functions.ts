/**
 * Ops and modules one by one, on the backend in use:
 *
 *   value, gradient   beside PyTorch's float64 results, and its own float32 error where we compute in float32
 *   gradcheck         beside central differences (float64)
 *   definition        fused ops beside what they are written out (float64)
 *   error text        each error case of an op says what it promises (float64, whose name is in the texts)
 */

import { apply, getBackend, Rng, scope, Tensor } from '../tensor/index.ts';
import { casesByOp } from '../tensor/ops/cases.ts';
import { type OpName, ops } from '../tensor/ops/index.ts';
import type { ErrorCase } from '../tensor/sample.ts';
import { isFloat } from '../tensor/shape.ts';
import { type Bound, type Case, caseId, caseRng, gradientInputs, opCases } from './cases.ts';
import { definitionRows } from './definitions.ts';
import { type Expected, type Fixture, withFixtures } from './fixtures.ts';
import type { GoldenFolder } from './golden.ts';
import { gradientPairs } from './gradcheck.ts';
import { type Check, judge, kept, type Row, type Subject } from './judge.ts';
import { moduleCases } from './moduleCases.ts';
import { type FloatDType, sampleTensors, seedOf } from './samples.ts';
import { EXACT, FLOAT32, FLOAT64, float32Exception, GRADCHECK, type Tolerance } from './tolerances.ts';

type OnRow = (row: Row) => void;

/** Which ops or modules to look at. */
type Wanted = (name: string) => boolean;

const all: Wanted = () => true;

export async function verifyOps(
  folder: GoldenFolder,
  dtype: FloatDType,
  onRow: OnRow,
  wanted = all,
): Promise<void> {
  const cases = opCases().filter(({ of }) => wanted(of));
  await verifyCases(folder, cases, dtype, onRow);
  if (dtype !== 'float64') return;
  for (const row of definitionRows(wanted)) onRow(row);
  for (const row of errorTexts(wanted)) onRow(row);
}

export async function verifyModules(
  folder: GoldenFolder,
  dtype: FloatDType,
  onRow: OnRow,
  wanted = all,
): Promise<void> {
  const cases = moduleCases().filter(({ of }) => wanted(of));
  await verifyCases(folder, cases, dtype, onRow);
}

async function verifyCases(
  folder: GoldenFolder,
  cases: readonly Case[],
  dtype: FloatDType,
  onRow: OnRow,
): Promise<void> {
  await withFixtures(folder, async (fixtureOf) => {
    for (const of of cases) {
      if (!canCompute(of)) continue;
      const fixture = await fixtureOf(of);
      if (typeof fixture === 'string')
        onRow({ ...kept(subject(of, 'value', 'out'), fixture), status: 'MISSING' });
      else await verifyCase(of, fixture, dtype, onRow);
    }
  });
}

/** Whether the backend has the dtype that a case casts to. */
function canCompute({ attrs }: Case): boolean {
  const { dtype } = attrs as { readonly dtype?: string };
  return dtype === undefined || getBackend().dtypes.some((known) => known === dtype);
}

function subject(of: Case, check: Check, result: string): Subject {
  const name = `${caseId(of)}: ${result}${check === 'gradcheck' ? ' beside differences' : ''}`;
  return { name, of: of.of, check };
}

async function verifyCase(of: Case, fixture: Fixture, dtype: FloatDType, onRow: OnRow): Promise<void> {
  await scope(async () => {
    const bound = of.bind(sampleTensors(of.sample, caseRng(of), dtype, true));
    try {
      const y = bound.compute();
      onRow(await judged(of, 'value', 'out', fixture.out, y, dtype));
      if (fixture.gradients.size > 0) {
        y.backward(Tensor.fromArray(fixture.dy, y.shape, { dtype: y.dtype }));
        for (const { name, index } of gradientInputs(of)) {
          const expected = fixture.gradients.get(name) as Expected;
          onRow(await judged(of, 'gradient', `grad.${name}`, expected, bound.leaves[index].grad, dtype));
        }
      }
      if (dtype === 'float64' && y.dtype === 'float64' && of.sample.noDifferences === undefined)
        for (const row of gradcheck(of, bound)) onRow(row);
    } finally {
      for (const leaf of new Set(bound.leaves)) {
        leaf.zeroGrad();
        leaf.dispose();
      }
    }
  });
}

/** A result beside PyTorch's. Where only an exception of the table lets it pass, the row says why. */
async function judged(
  of: Case,
  check: 'value' | 'gradient',
  result: string,
  expected: Expected,
  computed: Tensor | null,
  dtype: FloatDType,
): Promise<Row> {
  const about = subject(of, check, result);
  if (computed === null) return judge(about, expected, undefined, { tolerance: EXACT });
  const numbers = { shape: computed.shape, data: await computed.read() };
  const beside = (tolerance: Tolerance) =>
    judge(about, expected, numbers, { tolerance, torchError: expected.torchError });
  if (!isFloat(computed.dtype)) return beside(EXACT);
  if (dtype === 'float64') return beside(FLOAT64);
  const row = beside(FLOAT32);
  const exception = float32Exception(getBackend().name, of.of, check, result);
  if (row.status !== 'DIFF' || exception === undefined) return row;
  const allowed = beside(exception.tolerance);
  return allowed.status === 'OK' ? { ...allowed, note: exception.why } : allowed;
}

/** One row for each input: the gradient by `backward` beside central differences. */
function gradcheck(of: Case, { leaves, compute }: Bound): Row[] {
  const pairs = gradientPairs(compute, leaves, new Rng(seedOf(caseId(of))));
  return gradientInputs(of).map(({ name, index }) => {
    const pair = pairs.find(({ input }) => input === leaves[index]);
    const about = subject(of, 'gradcheck', `grad.${name}`);
    if (pair === undefined) return kept(about, 'requires no gradient');
    const shape = [pair.at.length];
    const [numeric, exact] = [pair.numeric, pair.exact].map((data) => ({ shape, data }));
    return judge(about, numeric, exact, { tolerance: GRADCHECK });
  });
}

/** Every error case. */
function* errorTexts(wanted: Wanted): Iterable<Row> {
  for (const name of Object.keys(ops) as OpName[]) {
    if (!wanted(name)) continue;
    const errors: readonly ErrorCase<unknown>[] = casesByOp[name].errors;
    for (const bad of errors) {
      const note = scope(() => {
        const inputs = sampleTensors(bad, new Rng(1), 'float64');
        try {
          apply(name, inputs, bad.attrs as never);
        } catch (error) {
          const { name: kind, message } = error as Error;
          if (kind !== bad.error) return `threw ${kind} "${message}", expected ${bad.error}`;
          return message.includes(bad.says) ? null : `says "${message}", expected "${bad.says}" in it`;
        }
        return `threw nothing, expected ${bad.error} "${bad.says}"`;
      });
      yield kept({ name: `${name}/${bad.note}: error`, of: name, check: 'error text' }, note);
    }
  }
}
