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

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

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
  samples: [
    { note: 'plain', inputs: [{ shape: [4, 3] }, { shape: [2], dtype: 'int32', values: [3, 1] }], attrs: {} },
    {
      note: 'of a vector',
      inputs: [{ shape: [4] }, { shape: [3], dtype: 'int32', values: [3, 0, 3] }],
      attrs: {},
    },
    {
      note: 'repeated rows',
      inputs: [{ shape: [3, 2] }, { shape: [4], dtype: 'int32', values: [1, 1, 0, 1] }],
      attrs: {},
    },
    { note: 'no rows', inputs: [{ shape: [3, 2] }, { shape: [0], dtype: 'int32', values: [] }], attrs: {} },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1, 1] }, { shape: [1], dtype: 'int32', values: [0] }],
      attrs: {},
    },
    {
      note: 'strided',
      inputs: [
        { shape: [3, 4], layout: 'strided' },
        { shape: [3], dtype: 'int32', values: [2, 2, 0] },
      ],
      attrs: {},
    },
    {
      note: 'far values',
      inputs: [
        { shape: [3, 2], values: [-INFINITY, NAN, 3e38, -0, 1e-40, INFINITY] },
        { shape: [3], dtype: 'int32', values: [2, 0, 1] },
      ],
      attrs: {},
      noDifferences: 'infinities',
    },
    {
      note: 'transposed x, three axes',
      inputs: [
        { shape: [3, 2, 4], layout: 'transposed' },
        { shape: [2], dtype: 'int32', values: [2, 0] },
      ],
      attrs: {},
    },
  ],
  errors: [
    {
      note: 'float index',
      inputs: [{ shape: [4, 3] }, { shape: [2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'index: needs int32: index is float64[2]',
    },
    {
      note: 'a matrix of indices',
      inputs: [{ shape: [4, 3] }, { shape: [1, 2], dtype: 'int32', values: [0, 1] }],
      attrs: {},
      error: 'ShapeError',
      says: 'index: needs shape [N]: index is int32[1,2]',
    },
    {
      note: 'no rows to choose from',
      inputs: [{ shape: [] }, { shape: [1], dtype: 'int32', values: [0] }],
      attrs: {},
      error: 'ShapeError',
      says: 'x: needs at least 1 axis: x is float64[]',
    },
  ],
};
