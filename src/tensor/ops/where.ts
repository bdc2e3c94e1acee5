/** condition ? a : b, elementwise and broadcast:  ∂a = condition ? dy : 0,  ∂b = condition ? 0 : dy. */

import { expandView } from '../../kernels/index.ts';
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { broadcastShapes, requireDType, requireSameDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

export const where: Op<NoAttrs> = {
  name: 'where',
  inputs: ['condition', 'a', 'b'],
  check([condition, a, b]) {
    requireDType('where', 'condition', condition, ['bool']);
    requireSameDType('where', { a, b });
    const joint = broadcastShapes(a.shape, b.shape);
    if (joint !== null && broadcastShapes(joint, condition.shape) !== null) return;
    throw new ShapeError({
      op: 'where',
      argument: 'condition',
      got: { condition: typeOf(condition), a: typeOf(a), b: typeOf(b) },
      rule: 'shapes do not broadcast',
    });
  },
  forward(k, inputs) {
    const shape = inputs.map((x) => x.shape).reduce((s, t) => broadcastShapes(s, t) ?? []);
    const [condition, a, b] = inputs.map((x) => expandView(x, shape));
    return { out: k.where(condition, a, b) };
  },
  backward({ k, inputs: [condition], dy }) {
    const wide = expandView(condition, dy.shape);
    const zero = () => expandView(k.fill([], 0, dy.buffer.dtype), dy.shape);
    return [null, () => k.where(wide, dy, zero()), () => k.where(wide, zero(), dy)];
  },
};
