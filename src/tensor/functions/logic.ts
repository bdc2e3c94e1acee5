/** Truth values, elementwise and broadcast: whatever is not 0 counts as true. */
import { broadcastOrThrow } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { where } from './choosing.ts';

const constant = (value: 0 | 1): Tensor => Tensor.full([], value, { dtype: 'bool' });

/** Element by element: both are true. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  broadcastOrThrow('logicalAnd', a.view, b.view);
  return where(a.to('bool'), b.to('bool'), constant(0));
}

/** Element by element: one is true, or both. */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  broadcastOrThrow('logicalOr', a.view, b.view);
  return where(a.to('bool'), constant(1), b.to('bool'));
}

/** Element by element: it is not true. */
export function logicalNot(x: Tensor): Tensor {
  return x.eq(0);
}
