/**
 * Rows along axis 0 in the order of an index:  y_n = x_index[n]. Gradient: row n of dy is added to row index[n] of ∂x, which
 * is an embedding's gradient.
 *
 * With concat it makes the visual experts: X_I and X_T are gathered out of X, and concat(X_I W_I, X_T W_T) is gathered back into
 * the order of the sequence.
 */
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { requireDType, requireShape } from '../shape.ts';

type NoAttrs = Record<never, never>;

export const gatherRows: Op<NoAttrs> = {
  name: 'gatherRows',
  inputs: ['x', 'index'],
  check([x, index]) {
    requireDType('gatherRows', 'index', index, ['int32']);
    requireShape('gatherRows', 'index', index, ['N']);
    if (x.shape.length > 0) return;
    throw new ShapeError({
      op: 'gatherRows',
      argument: 'x',
      got: { x: typeOf(x) },
      rule: 'needs at least 1 axis',
    });
  },
  forward: (k, [x, index]) => ({ out: k.gatherRows(x, index) }),
  backward: ({ k, inputs: [x, index], dy }) => [() => k.scatterAddRows(dy, index, x.shape[0]), null],
};
