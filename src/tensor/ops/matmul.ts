/**
 * Matrix product over the last two axes, leading axes broadcast:  Y = A·B,  y_mn = Σ_k a_mk b_kn.
 *
 * Gradient: from dL = Σ dY_mn dy_mn follows ∂a_mk = Σ_n dY_mn b_kn and ∂b_kn = Σ_m a_mk dY_mn, that is
 *   ∂A = dY·Bᵀ,   ∂B = Aᵀ·dY.
 *
 * A weight is a plain matrix used by every sample: with B of rank 2 the leading axes of A fold into its rows, so that
 * there is one product instead of a batch of them, and ∂B sums over the batch inside the product.
 */
import { denseView, expandView, reshapeView, swapLastTwo, type View } from '../../kernels/index.ts';
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { broadcastShapes, requireDType, requireSameDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

const folds = (a: View, b: View): boolean => a.shape.length > 2 && b.shape.length === 2;

/** [..., M, K] → [batch·M, K] */
function foldRows(k: { copy(x: View): View }, x: View): View {
  const width = x.shape[x.shape.length - 1];
  const rows = x.shape.slice(0, -1).reduce((n, m) => n * m, 1);
  return reshapeView(x, [rows, width]) ?? denseView(k.copy(x).buffer, [rows, width]);
}

function expandBatch(a: View, b: View): [View, View] {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)) ?? [];
  return [expandView(a, [...batch, ...a.shape.slice(-2)]), expandView(b, [...batch, ...b.shape.slice(-2)])];
}

export const matmul: Op<NoAttrs> = {
  name: 'matmul',
  inputs: ['a', 'b'],
  check([a, b]) {
    requireSameDType('matmul', { a, b });
    requireDType('matmul', 'a', a);
    const got = () => ({ a: typeOf(a), b: typeOf(b) });
    const vector = a.shape.length < 2 ? 'a' : b.shape.length < 2 ? 'b' : null;
    if (vector !== null) {
      throw new ShapeError({
        op: 'matmul',
        argument: vector,
        got: got(),
        rule: 'needs at least 2 axes',
        hint: 'reshape a vector to [1, K] or [K, 1].',
      });
    }
    const [m, k] = [a.shape[a.shape.length - 2], a.shape[a.shape.length - 1]];
    const [rows, n] = [b.shape[b.shape.length - 2], b.shape[b.shape.length - 1]];
    if (k !== rows) {
      const swapped =
        k === n ? 'did you mean b.transpose()?' : m === rows ? 'did you mean a.transpose()?' : undefined;
      throw new ShapeError({
        op: 'matmul',
        argument: 'b',
        got: got(),
        rule: `inner sizes differ, a has ${k} columns (axis -1) and b has ${rows} rows`,
        axis: -2,
        ...(swapped === undefined ? {} : { hint: swapped }),
      });
    }
    if (broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)) === null) {
      throw new ShapeError({
        op: 'matmul',
        argument: 'b',
        got: got(),
        rule: 'leading axes do not broadcast',
      });
    }
  },
  forward(k, [a, b]) {
    if (!folds(a, b)) return { out: k.matmul(...expandBatch(a, b)) };
    const flat = k.matmul(foldRows(k, a), b);
    return { out: denseView(flat.buffer, [...a.shape.slice(0, -1), b.shape[1]]) };
  },
  backward({ k, inputs: [a, b], dy }) {
    if (!folds(a, b)) {
      const [left, right] = expandBatch(a, b);
      return [() => k.matmul(dy, swapLastTwo(right)), () => k.matmul(swapLastTwo(left), dy)];
    }
    return [
      () => denseView(k.matmul(foldRows(k, dy), swapLastTwo(b)).buffer, a.shape),
      () => k.matmul(swapLastTwo(foldRows(k, a)), foldRows(k, dy)),
    ];
  },
};
