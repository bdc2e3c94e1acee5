/** condition ? a : b, elementwise and broadcast:  ∂a = condition ? dy : 0,  ∂b = condition ? 0 : dy. */
import { ShapeError, typeOf } from '../errors.ts';
import { expandView } from '../layout.ts';
import type { Op } from '../op.ts';
import { broadcastShapes, requireDType, requireSameDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

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
  samples: [
    {
      note: 'plain',
      inputs: [{ shape: [2, 2], dtype: 'bool', values: [1, 0, 0, 1] }, { shape: [2, 2] }, { shape: [2, 2] }],
      attrs: {},
    },
    {
      note: 'broadcast',
      inputs: [{ shape: [3, 1], dtype: 'bool', values: [1, 0, 1] }, { shape: [3, 2] }, { shape: [] }],
      attrs: {},
    },
    {
      note: 'transposed a, strided b',
      inputs: [
        { shape: [2, 3], dtype: 'bool', values: [1, 0, 0, 1, 1, 0] },
        { shape: [2, 3], layout: 'transposed' },
        { shape: [3], layout: 'strided' },
      ],
      attrs: {},
    },
    {
      note: 'zero size',
      inputs: [{ shape: [0, 2], dtype: 'bool', values: [] }, { shape: [0, 2] }, { shape: [2] }],
      attrs: {},
    },
    {
      note: 'size-1 axes',
      inputs: [{ shape: [1], dtype: 'bool', values: [0] }, { shape: [1, 1] }, { shape: [1] }],
      attrs: {},
    },
    {
      note: 'a = b',
      inputs: [
        { shape: [3], dtype: 'bool', values: [1, 0, 1] },
        { shape: [3] },
        { shape: [3], layout: 'same' },
      ],
      attrs: {},
    },
    {
      note: 'what is not chosen is not seen',
      inputs: [
        { shape: [4], dtype: 'bool', values: [1, 0, 1, 0] },
        { shape: [4], values: [1, NAN, -INFINITY, INFINITY] },
        { shape: [4], values: [NAN, 2, INFINITY, -0] },
      ],
      attrs: {},
      noDifferences: 'infinities',
    },
  ],
  errors: [
    {
      note: 'float condition',
      inputs: [{ shape: [2] }, { shape: [2] }, { shape: [2] }],
      attrs: {},
      error: 'DTypeError',
      says: 'condition: needs bool: condition is float64[2]',
    },
    {
      note: 'dtypes',
      inputs: [
        { shape: [2], dtype: 'bool', values: [0, 1] },
        { shape: [2] },
        { shape: [2], dtype: 'int32', values: [1, 2] },
      ],
      attrs: {},
      error: 'DTypeError',
      says: 'dtypes differ (b is not float64)',
    },
    {
      note: 'a and b that do not broadcast',
      inputs: [{ shape: [2], dtype: 'bool', values: [0, 1] }, { shape: [2] }, { shape: [3] }],
      attrs: {},
      error: 'ShapeError',
      says: 'shapes do not broadcast: condition is bool[2], a is float64[2], b is float64[3]',
    },
    {
      note: 'a condition that does not broadcast',
      inputs: [{ shape: [3], dtype: 'bool', values: [0, 1, 1] }, { shape: [2] }, { shape: [2] }],
      attrs: {},
      error: 'ShapeError',
      says: 'shapes do not broadcast: condition is bool[3], a is float64[2], b is float64[2]',
    },
  ],
};
