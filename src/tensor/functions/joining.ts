/** Several tensors as one. */
import { ShapeError } from '../errors.ts';
import { normalizeAxis } from '../shape.ts';
import { apply, type Tensor } from '../tensor.ts';

/** Joins tensors along an axis. */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  if (parts.length === 0) {
    throw new ShapeError({ op: 'concat', argument: 'parts', got: {}, rule: 'needs at least one tensor' });
  }
  return apply('concat', parts, { axis: normalizeAxis('concat', parts[0], axis) });
}
