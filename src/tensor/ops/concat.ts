/** Joins tensors along an axis; the gradient of a part is its slice of dy. */

import { sliceView } from '../../kernels/index.ts';
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { requireSameDType } from '../shape.ts';

export const concat: Op<{ readonly axis: number }> = {
  name: 'concat',
  inputs: ['part'],
  variadic: true,
  check(parts, { axis }) {
    requireSameDType('concat', Object.fromEntries(parts.map((p, i) => [`part${i}`, p])));
    const first = parts[0];
    const odd = parts.findIndex(
      (p) =>
        p.shape.length !== first.shape.length || p.shape.some((n, a) => a !== axis && n !== first.shape[a]),
    );
    if (odd < 0) return;
    throw new ShapeError({
      op: 'concat',
      argument: `part${odd}`,
      axis,
      got: { part0: typeOf(first), [`part${odd}`]: typeOf(parts[odd]) },
      rule: 'the parts differ beside the joined axis',
    });
  },
  forward: (k, parts, { axis }) => ({ out: k.concat(parts, axis) }),
  backward({ inputs, attrs: { axis }, dy }) {
    let end = 0;
    return inputs.map((part) => {
      const start = end;
      end += part.shape[axis];
      return () => sliceView(dy, axis, start, part.shape[axis]);
    });
  },
};
