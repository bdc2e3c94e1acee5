/** Running sums. */
import { normalizeAxis, requireDType } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { concat } from './joining.ts';

/**
 * y_i = x_0 + … + x_i along an axis. By doubling: what is the sum of `reach` elements becomes that of 2·reach when the sum
 * that ends `reach` before is added (Hillis and Steele), so that ⌈log₂ n⌉ passes do, and rounding grows with their number.
 */
export function cumsum(x: Tensor, axis: number): Tensor {
  const a = normalizeAxis('cumsum', x, axis);
  requireDType('cumsum', 'x', x.view, ['float32', 'float64', 'int32']);
  const n = x.shape[a];
  let y = x;
  for (let reach = 1; reach < n; reach *= 2) {
    const sums = y.slice(a, reach).add(y.slice(a, 0, n - reach));
    y = concat([y.slice(a, 0, reach), sums], a);
  }
  return y;
}
