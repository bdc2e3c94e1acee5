/**
 * Every gradient of every primitive spoiled (twice, negated, zero, not summed back to its input's shape) is noticed by the
 * fixtures and differences. `npm run mutate` spoils everything else, too.
 */
import { describe, expect, it } from 'vitest';
import { bundleMutants, readSource } from './bundle.ts';
import { judgeMutant } from './judgeMutant.ts';
import type { Mutant } from './kinds.ts';
import { describe as described } from './report.ts';
import { TARGETS } from './targets.ts';

const isGradient = ({ kind }: Mutant) => kind === 'gradient' || kind === 'un-broadcast';

/** Where gradients are, and how many thunks each file has: one that the mutator misses would pass unnoticed. */
const THUNKS: Readonly<Record<string, number>> = {
  'src/tensor/ops/attention.ts': 3,
  'src/tensor/ops/binary.ts': 12,
  'src/tensor/ops/crossEntropy.ts': 1,
  'src/tensor/ops/cast.ts': 1,
  'src/tensor/ops/concat.ts': 1,
  'src/tensor/ops/gatherRows.ts': 1,
  'src/tensor/ops/where.ts': 2,
  'src/tensor/ops/matmul.ts': 4,
  'src/tensor/ops/movement.ts': 4,
  'src/tensor/ops/norm.ts': 5,
  'src/tensor/ops/reduction.ts': 2,
  'src/tensor/ops/rotary.ts': 1,
  'src/tensor/ops/softmax.ts': 1,
  'src/tensor/ops/swiglu.ts': 2,
  'src/tensor/ops/unary.ts': 1,
  'src/tensor/op.ts': 0,
  'src/tensor/tape.ts': 0,
};

describe('spoiled gradients', () => {
  it('are sought in every file of src/tensor/ops', () => {
    const targets = TARGETS.map(({ file }) => file).filter((file) => file.startsWith('src/tensor/'));
    expect(targets.sort()).toEqual(Object.keys(THUNKS).sort());
  });

  it.each(Object.entries(THUNKS))('%s: all are caught', async (file, thunks) => {
    const checks = TARGETS.find((target) => target.file === file)?.checks.slice(0, 1) ?? [];
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
