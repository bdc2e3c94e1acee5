/**
 * Choosing and joining.
 *
 *   gatherRows  y_n = x_index[n] along axis 0   ∂x: row n of dy is added to row index[n] (an embedding's gradient)
 *   concat      joins along an axis             ∂part: its slice of dy
 *   where       condition ? a : b               ∂a = condition ? dy : 0,  ∂b = condition ? 0 : dy
 *   cast        another dtype                   ∂x = dy cast back
 *
 * The visual experts are gatherRows and concat: X_I and X_T are gathered out of X, and concat(X_I W_I, X_T W_T) is
 * gathered back into the order of the sequence.
 */
import type { DType } from '../../kernels/backend.ts';
import { DTypeError, ShapeError, typeOf } from '../errors.ts';
import { expandView, sliceView } from '../layout.ts';
import type { Op } from '../op.ts';
import { broadcastShapes, isFloat, requireDType, requireSameDType, requireShape } from '../shape.ts';

type NoAttrs = Record<never, never>;

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;
const DTYPES: readonly DType[] = ['float32', 'float64', 'int32', 'bool'];

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
  samples: [
    { note: 'rows', inputs: [{ shape: [2, 3] }, { shape: [1, 3] }], attrs: { axis: 0 } },
    {
      note: 'columns, one transposed',
      inputs: [{ shape: [2, 3], layout: 'transposed' }, { shape: [2, 1] }],
      attrs: { axis: 1 },
    },
    {
      note: 'an empty part',
      inputs: [{ shape: [0, 2] }, { shape: [3, 2] }, { shape: [1, 2] }],
      attrs: { axis: 0 },
    },
    {
      note: 'three parts',
      inputs: [{ shape: [1, 2] }, { shape: [2, 2] }, { shape: [1, 2] }],
      attrs: { axis: 0 },
    },
    {
      note: 'one part',
      inputs: [{ shape: [2, 3], layout: 'strided' }],
      attrs: { axis: 1 },
    },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attrs: { axis: 1 } },
    {
      note: 'far values',
      inputs: [
        { shape: [3], values: [-INFINITY, NAN, 3e38] },
        { shape: [2], values: [-0, INFINITY] },
      ],
      attrs: { axis: 0 },
      noDifferences: 'infinities',
    },
    {
      note: 'twice the same',
      inputs: [{ shape: [2, 2] }, { shape: [2, 2], layout: 'same' }],
      attrs: { axis: 1 },
    },
  ],
  errors: [
    {
      note: 'other width',
      inputs: [{ shape: [2, 3] }, { shape: [2, 4] }],
      attrs: { axis: 0 },
      error: 'ShapeError',
      says: 'part1: the parts differ beside the joined axis (axis 0): part0 is float64[2,3], part1 is float64[2,4]',
    },
    {
      note: 'fewer axes',
      inputs: [{ shape: [2, 3] }, { shape: [2] }],
      attrs: { axis: 0 },
      error: 'ShapeError',
      says: 'part1: the parts differ beside the joined axis (axis 0): part0 is float64[2,3], part1 is float64[2]',
    },
    {
      note: 'dtypes',
      inputs: [{ shape: [2] }, { shape: [2], dtype: 'int32', values: [1, 2] }],
      attrs: { axis: 0 },
      error: 'DTypeError',
      says: 'dtypes differ (part1 is not float64)',
    },
  ],
};

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

export const cast: Op<{ readonly dtype: DType }> = {
  name: 'cast',
  inputs: ['x'],
  check([x], { dtype }) {
    if (DTYPES.includes(dtype)) return;
    throw new DTypeError({
      op: 'cast',
      argument: 'dtype',
      got: { x: typeOf(x) },
      rule: `${dtype} is none of ${DTYPES.join(', ')}`,
    });
  },
  forward: (k, [x], { dtype }) => ({ out: k.cast(x, dtype) }),
  backward: ({ k, inputs: [x], attrs: { dtype }, dy }) => [
    isFloat(dtype) && isFloat(x.buffer.dtype) ? () => k.cast(dy, x.buffer.dtype) : null,
  ],
  samples: [
    { note: 'to float64', inputs: [{ shape: [2, 3] }], attrs: { dtype: 'float64' } },
    {
      note: 'to float32, transposed',
      inputs: [{ shape: [2, 3], layout: 'transposed' }],
      attrs: { dtype: 'float32' },
      noDifferences: 'float32 changes in steps larger than a difference',
    },
    {
      note: 'to bool, strided',
      inputs: [{ shape: [4], values: [0, -0, 0.25, NAN], layout: 'strided' }],
      attrs: { dtype: 'bool' },
    },
    { note: 'zero size', inputs: [{ shape: [0, 2] }], attrs: { dtype: 'int32' } },
    { note: 'size-1 axes', inputs: [{ shape: [1, 1] }], attrs: { dtype: 'int32' } },
    {
      note: 'to integers, at the ends',
      inputs: [{ shape: [4], values: [-2147483648, 2147483520, -0.999, 16777217] }],
      attrs: { dtype: 'int32' },
    },
    { note: 'to integers', inputs: [{ shape: [3], values: [-1.7, 0.2, 2.9] }], attrs: { dtype: 'int32' } },
    {
      note: 'integers to floats',
      inputs: [{ shape: [3], dtype: 'int32', values: [-3, 0, 7] }],
      attrs: { dtype: 'float64' },
    },
  ],
  errors: [
    {
      note: 'a dtype that is none',
      inputs: [{ shape: [2] }],
      attrs: { dtype: 'float16' as DType },
      error: 'DTypeError',
      says: 'dtype: float16 is none of float32, float64, int32, bool: x is float64[2]',
    },
  ],
};
