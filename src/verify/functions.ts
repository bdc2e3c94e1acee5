/**
 * Ops, composed functions and modules one by one, on the backend in use:
 *
 *   value, gradient   beside PyTorch's float64 results, and its own float32 error where we compute in float32
 *   gradcheck         beside central differences (float64)
 *   definition        fused ops beside what they are written out (float64)
 *   error text        each error case of a record says what it promises (float64, whose name is in the texts)
 */

import { getBackend, isFloat, Rng, scope, Tensor } from '../tensor/index.ts';
import {
  type Bound,
  type Case,
  caseId,
  caseRng,
  gradientInputs,
  opCases,
  opRefusals,
  type Refusal,
} from './cases.ts';
import { definitionFindings } from './definitions.ts';
import { type Allowance, EXACTLY, type Finding, type Findings, NOT_COMPUTED } from './finding.ts';
import { type Expected, type Fixture, withFixtures } from './fixtures.ts';
import { functionCases, functionRefusals } from './functionCases/index.ts';
import type { GoldenFolder } from './golden.ts';
import { gradientPairs } from './gradcheck.ts';
import { moduleCases } from './moduleCases.ts';
import type { Check, Subject } from './row.ts';
import { type FloatDType, sampleTensors, seedOf } from './samples.ts';
import { FLOAT32, FLOAT64, float32Exception, GRADCHECK } from './tolerances.ts';

/** Which ops, functions or modules to look at. */
type Wanted = (name: string) => boolean;

const all: Wanted = () => true;

export async function* verifyOps(folder: GoldenFolder, dtype: FloatDType, wanted = all): Findings {
  const cases = opCases().filter(({ of }) => wanted(of));
  yield* verifyCases(folder, cases, dtype);
  if (dtype !== 'float64') return;
  yield* definitionFindings(wanted);
  yield* errorTexts(opRefusals(), wanted);
}

export async function* verifyFunctions(folder: GoldenFolder, dtype: FloatDType, wanted = all): Findings {
  const cases = functionCases().filter(({ of }) => wanted(of));
  yield* verifyCases(folder, cases, dtype);
  if (dtype === 'float64') yield* errorTexts(functionRefusals(), wanted);
}

export function verifyModules(folder: GoldenFolder, dtype: FloatDType, wanted = all): Findings {
  const cases = moduleCases().filter(({ of }) => wanted(of));
  return verifyCases(folder, cases, dtype);
}

function verifyCases(folder: GoldenFolder, cases: readonly Case[], dtype: FloatDType): Findings {
  return withFixtures(folder, async function* (fixtureOf): Findings {
    for (const one of cases) {
      if (!canCompute(one)) continue;
      const fixture = await fixtureOf(one);
      if ('status' in fixture) yield { subject: subject(one, 'value', 'out'), broken: fixture };
      else yield* await verifyCase(one, fixture, dtype);
    }
  });
}

/** Whether the backend has the dtype that a case casts to. */
function canCompute({ attrs }: Case): boolean {
  const { dtype } = attrs as { readonly dtype?: string };
  return dtype === undefined || getBackend().dtypes.some((known) => known === dtype);
}

function subject(one: Case, check: Check, result: string): Subject {
  const name = `${caseId(one)}: ${result}${check === 'gradcheck' ? ' beside differences' : ''}`;
  return { name, of: one.of, check };
}

async function verifyCase(one: Case, fixture: Fixture, dtype: FloatDType): Promise<Finding[]> {
  return scope(async () => {
    const bound = one.bind(sampleTensors(one.sample, caseRng(one), dtype, true));
    try {
      const y = bound.compute();
      const findings = [await besideTorch(one, 'value', 'out', fixture.out, y, dtype)];
      if (fixture.gradients.size > 0) {
        y.backward(Tensor.fromArray(fixture.dy, y.shape, { dtype: y.dtype }));
        for (const { name, index } of gradientInputs(one)) {
          const [expected, { grad }] = [fixture.gradients.get(name) as Expected, bound.leaves[index]];
          findings.push(await besideTorch(one, 'gradient', `grad.${name}`, expected, grad, dtype));
        }
      }
      if (dtype === 'float64' && y.dtype === 'float64' && one.sample.noDifferences === undefined)
        findings.push(...gradcheck(one, bound));
      return findings;
    } finally {
      for (const leaf of new Set(bound.leaves)) {
        leaf.zeroGrad();
        leaf.dispose();
      }
    }
  });
}

/** A result beside PyTorch's. */
async function besideTorch(
  one: Case,
  check: 'value' | 'gradient',
  result: string,
  truth: Expected,
  y: Tensor | null,
  dtype: FloatDType,
): Promise<Finding> {
  const about = { subject: subject(one, check, result), truth };
  if (y === null) return { ...about, computed: NOT_COMPUTED, allowance: EXACTLY };
  const computed = { shape: y.shape, data: await y.read() };
  const { torchError } = truth;
  const exception = float32Exception(getBackend().name, one.of, check, result);
  let allowance: Allowance = { tolerance: FLOAT32, torchError, exception };
  if (dtype === 'float64') allowance = { tolerance: FLOAT64, torchError };
  if (!isFloat(y.dtype)) allowance = { ...EXACTLY, torchError };
  return { ...about, computed, allowance };
}

/** For each input: the gradient by `backward` beside central differences. */
function gradcheck(one: Case, { leaves, compute }: Bound): Finding[] {
  const pairs = gradientPairs(compute, leaves, new Rng(seedOf(caseId(one))));
  return gradientInputs(one).map(({ name, index }) => {
    const pair = pairs.find(({ input }) => input === leaves[index]);
    const about = subject(one, 'gradcheck', `grad.${name}`);
    if (pair === undefined) return { subject: about, broken: 'requires no gradient' };
    const shape = [pair.at.length];
    const [truth, computed] = [pair.numeric, pair.exact].map((data) => ({ shape, data }));
    return { subject: about, truth, computed, allowance: { tolerance: GRADCHECK } };
  });
}

/** Every error case of the records. */
function* errorTexts(refusals: readonly Refusal[], wanted: Wanted): Iterable<Finding> {
  for (const { of, note, error: expected, says, attempt } of refusals) {
    if (!wanted(of)) continue;
    const broken = scope(() => {
      try {
        attempt();
      } catch (error) {
        const { name: kind, message } = error as Error;
        if (kind !== expected) return `threw ${kind} "${message}", expected ${expected}`;
        return message.includes(says) ? null : `says "${message}", expected "${says}" in it`;
      }
      return `threw nothing, expected ${expected} "${says}"`;
    });
    yield { subject: { name: `${of}/${note}: error`, of, check: 'error text' }, broken };
  }
}
