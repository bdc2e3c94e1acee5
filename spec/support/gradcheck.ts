/** Gradients beside central differences, as an expectation. */
import { expect } from 'vitest';
import { Rng, type Tensor } from '../../src/tensor/index.ts';
import { compare, describeComparison } from '../../src/verify/compare.ts';
import { gradientPairs } from '../../src/verify/gradcheck.ts';
import { GRADCHECK } from '../../src/verify/tolerances.ts';

/** @param f computes the output from the current values of `inputs` (float64) */
export function gradcheck(f: () => Tensor, inputs: readonly Tensor[]): void {
  const pairs = gradientPairs(f, inputs, new Rng(7));
  expect(pairs.length).toBeGreaterThan(0);
  for (const [n, { exact, numeric }] of pairs.entries()) {
    const found = compare(numeric, exact, GRADCHECK);
    const what = () => describeComparison(found, [numeric.length], numeric, exact);
    expect(found.used, found.used <= 1 ? '' : `input ${n}: ${what()}`).toBeLessThanOrEqual(1);
  }
}
