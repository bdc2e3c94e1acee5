/** Several tensors as one. */
import { ShapeError } from '../errors.ts';
import { normalizeAxis, requireSameDType, sameShape } from '../shape.ts';
import { apply, type Tensor } from '../tensor.ts';

function requireParts(op: string, parts: readonly Tensor[]): void {
  if (parts.length > 0) return;
  throw new ShapeError({ op, argument: 'parts', got: {}, rule: 'needs at least one tensor' });
}

/** Joins tensors along an axis. */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  requireParts('concat', parts);
  return apply('concat', parts, { axis: normalizeAxis('concat', parts[0], axis) });
}

/** Tensors of one shape side by side along a new axis. @throws ShapeError, DTypeError where one is not like the first */
export function stack(parts: readonly Tensor[], axis = 0): Tensor {
  requireParts('stack', parts);
  const [first] = parts;
  requireSameDType('stack', Object.fromEntries(parts.map(({ view }, i) => [`part${i}`, view])));
  const odd = parts.findIndex(({ shape }) => !sameShape(shape, first.shape));
  if (odd >= 0) {
    const argument = `part${odd}`;
    const got = { part0: first, [argument]: parts[odd] };
    throw new ShapeError({ op: 'stack', argument, got, rule: 'has another shape than the first' });
  }
  const columns = parts.map((part) => part.unsqueeze(axis));
  return concat(columns, axis);
}
