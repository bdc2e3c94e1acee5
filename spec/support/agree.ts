/** Two ways to compute the same thing agree in value and in the gradient of every leaf. */
import { expect } from 'vitest';
import { Rng, Tensor } from '../../src/tensor/index.ts';

export function expectClose(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(got.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const allowed = tolerance * Math.max(1, Math.abs(wanted[i]));
    // Written so that a NaN fails.
    if (!(Math.abs(got[i] - wanted[i]) <= allowed)) {
      throw new Error(`${what}, element ${i}: ${got[i]}, expected ${wanted[i]} ± ${allowed}`);
    }
  }
}

/** @param leaves the inputs that require a gradient */
export function expectAgreement(
  fused: () => Tensor,
  twin: () => Tensor,
  leaves: readonly Tensor[],
  tolerance = 1e-12,
): void {
  const [a, b] = [fused, twin].map((compute) => {
    for (const leaf of leaves) leaf.zeroGrad();
    const y = compute();
    y.backward(Tensor.uniform(y.shape, new Rng(5), -1, 1, { dtype: y.dtype }));
    return { shape: y.shape, y: y.data, grads: leaves.map((leaf) => leaf.grad?.data) };
  });
  expect(a.shape).toEqual(b.shape);
  expectClose(a.y, b.y, tolerance, 'value');
  for (const [i, grad] of b.grads.entries()) {
    if (grad === undefined) throw new Error(`the twin gave leaf ${i} no gradient`);
    expectClose(a.grads[i] ?? [], grad, tolerance, `gradient of leaf ${i}`);
  }
}
