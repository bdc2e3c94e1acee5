/** Elements by a condition. */
import { apply, type Tensor } from '../tensor.ts';

/** condition ? a : b, elementwise. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return apply('where', [condition, a, b], {});
}
