/**
 * Compares gradients with central differences in float64: for f = Σ w ⊙ y with random w,
 * ∂f/∂x_i ≈ (f(x + h e_i) − f(x − h e_i)) / 2h. The error of the difference is O(h²) + O(ε/h) ≈ 1e-10 at h = 1e-5.
 */
import { expect } from 'vitest';
import { noGrad, Rng, Tensor } from '../../src/tensor/index.ts';

const STEP = 1e-5;

/** @param f computes the output from the current values of `inputs` */
export function gradcheck(f: () => Tensor, inputs: readonly Tensor[], tolerance = 1e-7): void {
  const leaves = [...new Set(inputs)].filter((x) => x.requiresGrad);
  for (const x of leaves) x.zeroGrad();
  const y = f();
  const rng = new Rng(7);
  const w = Tensor.uniform(y.shape, rng, -1, 1, { dtype: 'float64' });
  if (y.requiresGrad) y.backward(w);
  const value = () => noGrad(() => f().mul(w).sum().item());
  for (const [n, x] of leaves.entries()) {
    const exact = x.grad === null ? new Float64Array(x.size) : x.grad.data;
    const values = x.data;
    const set = (i: number, v: number) => {
      const moved = values.slice();
      moved[i] = v;
      x.assign(Tensor.fromArray(moved, x.shape, { dtype: 'float64' }));
    };
    for (let i = 0; i < values.length; i++) {
      set(i, values[i] + STEP);
      const above = value();
      set(i, values[i] - STEP);
      const numeric = (above - value()) / (2 * STEP);
      set(i, values[i]);
      const allowed = tolerance * Math.max(1, Math.abs(numeric));
      expect(
        Math.abs(exact[i] - numeric),
        `input ${n}, element ${i}: gradient ${exact[i]}, difference ${numeric}`,
      ).toBeLessThanOrEqual(allowed);
    }
  }
}
