/**
 * Reductions; reduced axes stay with size 1 (`Tensor` drops them where asked).
 *
 *   sum   Σ x over axes          ∂x = dy, broadcast back
 *   max   largest over one axis  ∂x = dy where x is the maximum; equal maxima share it, as in PyTorch's amax
 */

import { expandView } from '../../kernels/index.ts';
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { requireDType } from '../shape.ts';

export const sum: Op<{ readonly axes: readonly number[] }> = {
  name: 'sum',
  inputs: ['x'],
  check([x], { axes }) {
    requireDType('sum', 'x', x, ['float32', 'float64', 'int32']);
    if (
      axes.every(
        (a, i) => Number.isInteger(a) && a >= 0 && a < x.shape.length && (i === 0 || axes[i - 1] < a),
      )
    )
      return;
    throw new ShapeError({
      op: 'sum',
      argument: 'axes',
      got: { x: typeOf(x) },
      rule: `[${axes.join(',')}] are not distinct axes in rising order`,
    });
  },
  forward: (k, [x], { axes }) => ({ out: k.sum(x, axes) }),
  backward: ({ inputs: [x], dy }) => [() => expandView(dy, x.shape)],
};

export const max: Op<{ readonly axis: number }> = {
  name: 'max',
  inputs: ['x'],
  check([x], { axis }) {
    requireDType('max', 'x', x, ['float32', 'float64', 'int32']);
    if (x.shape[axis] > 0) return;
    throw new ShapeError({
      op: 'max',
      argument: 'axis',
      axis,
      got: { x: typeOf(x) },
      rule: 'an empty axis has no maximum',
    });
  },
  forward: (k, [x], { axis }) => ({ out: k.max(x, axis) }),
  backward: ({ k, inputs: [x], attrs: { axis }, out, dy }) => [
    () => {
      const one = expandView(k.fill([], 1, x.buffer.dtype), x.shape);
      const zero = expandView(k.fill([], 0, x.buffer.dtype), x.shape);
      const hit = k.where(k.compare('eq', x, expandView(out, x.shape)), one, zero);
      const ties = k.sum(hit, [axis]);
      return k.binary('mul', hit, expandView(k.binary('div', dy, ties), x.shape));
    },
  ],
};
