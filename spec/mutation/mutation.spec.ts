/**
 * Every gradient of every primitive spoiled (twice, negated, zero, not summed back to its input's shape) is noticed by the
 * fixtures and differences. `npm run mutate` spoils everything else, too.
 */
import { describe, expect, it } from 'vitest';
import { type OpName, ops } from '../../src/tensor/ops/index.ts';
import { gradientInputs, opCases } from '../../src/verify/cases.ts';
import { bundleMutants, readSource } from './bundle.ts';
import { judgeMutant } from './judgeMutant.ts';
import type { Mutant } from './kinds.ts';
import { describe as described } from './report.ts';
import { TARGETS } from './targets.ts';

const isGradient = ({ kind }: Mutant) => kind === 'gradient' || kind === 'un-broadcast';

/** Files where thunks stand for several gradients, or where there are two ways to one. */
const THUNKS: Readonly<Record<string, number>> = {
  'src/tensor/ops/concat.ts': 1,
  'src/tensor/ops/matmul.ts': 4,
  'src/tensor/ops/unary.ts': 1,
};

const cases = opCases();

/** Inputs of an op that some sample has a gradient by. */
const gradientsOf = (op: OpName): number =>
  Math.max(...cases.filter(({ of }) => of === op).map((one) => gradientInputs(one).length));

const targets = TARGETS.filter(({ file }) => /^src\/tensor\/(ops\/|op\.ts|tape\.ts)/.test(file));

describe('spoiled gradients', () => {
  it('are sought in the file of every op', () => {
    expect(targets.flatMap(({ ops = [] }) => ops).sort()).toEqual(Object.keys(ops).sort());
  });

  it.each(targets)('$file: all are caught', async ({ file, ops: own = [], checks: all }) => {
    const checks = all.slice(0, 1);
    // A thunk that the mutator misses would pass unnoticed.
    const thunks = THUNKS[file] ?? own.reduce((sum, op) => sum + gradientsOf(op), 0);
    const bundle = await bundleMutants(readSource(file));
    try {
      const mutants = bundle.mutants.filter(isGradient);
      expect(mutants.filter(({ kind }) => kind === 'gradient').length).toBe(3 * thunks);
      expect(mutants.length).toBeGreaterThan(0);
      const caughtBy = (id: number) => judgeMutant({ url: bundle.url, id, anew: false, checks });
      expect(await caughtBy(0)).toBeNull();
      for (const mutant of mutants)
        expect(await caughtBy(mutant.id), `${described(mutant)} survives`).not.toBeNull();
      expect(await caughtBy(0), 'a mutant has left something behind').toBeNull();
    } finally {
      bundle.remove();
    }
  });
});
