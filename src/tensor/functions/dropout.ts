/** Dropout (Srivastava et al. 2014), scaled in training so that nothing is left to do afterwards. */

import type { Rng } from '../random.ts';
import { requireDType } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** How much is dropped, and by which random numbers. */
export interface DropoutOptions {
  /** Part of the elements that become 0. Default 0.5. */
  readonly p?: number;
  /** Draws one number for each element, in row-major order; none where nothing is dropped. */
  readonly rng: Rng;
  /** Default true; false leaves everything as it is. */
  readonly train?: boolean;
}

/**
 * Each element is 0 with probability p, else x/(1 − p).
 * @throws RangeError where p is not in 0…1
 */
export function dropout(x: Tensor, { p = 0.5, rng, train = true }: DropoutOptions): Tensor {
  requireDType('dropout', 'x', x.view);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`dropout(x): p: needs 0 ≤ p ≤ 1, got ${p}`);
  if (!train || p === 0) return x;
  const scale = 1 / (1 - p);
  const kept = Array.from({ length: x.size }, () => (rng.uniform() < p ? 0 : scale));
  return x.mul(Tensor.fromArray(kept, x.shape, { dtype: x.dtype }));
}
