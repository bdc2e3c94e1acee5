/**
 * Softmax over the last axis, where asked with the Tril of the paper's eq. (1). Written out: `softmax` in composed.ts.
 *
 *   y_j = e^(x_j − m) / Σ_l e^(x_l − m),  m = max x
 *
 * Gradient: ∂y_j/∂x_l = y_j(δ_jl − y_l), so ∂x = y ⊙ (dy − Σ_j dy_j y_j). A masked column has y = 0 and gets 0.
 * Step by step: docs/derivations/softmax.md.
 */
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { requireDType } from '../shape.ts';

export const softmax: Op<{ readonly causal: boolean }> = {
  name: 'softmax',
  inputs: ['x'],
  check([x], { causal }) {
    requireDType('softmax', 'x', x);
    const rank = x.shape.length;
    if (rank === 0 || (causal && rank < 2)) {
      throw new ShapeError({
        op: 'softmax',
        argument: 'x',
        got: { x: typeOf(x) },
        rule: `needs at least ${causal ? 2 : 1} axes`,
      });
    }
    if (causal && x.shape[rank - 2] > x.shape[rank - 1]) {
      throw new ShapeError({
        op: 'softmax',
        argument: 'x',
        got: { x: typeOf(x) },
        rule: `${x.shape[rank - 2]} query rows are more than ${x.shape[rank - 1]} key columns`,
        hint: 'with a causal mask the rows are the last positions of the columns.',
      });
    }
  },
  forward: (k, [x], attrs) => ({ out: k.softmax(x, attrs) }),
  backward: ({ k, out, dy }) => [() => k.softmaxBackward(out, dy)],
};
