/**
 * Attention over heads, the paper's eq. (1):  Y = softmax(Tril(QKᵀ)/√K)·V. Written out: `attention` in composed.ts.
 *
 * Gradient, with P = softmax(S) and S = QKᵀ/√K:
 *   ∂V = PᵀdY,   dP = dY·Vᵀ,   dS = P ⊙ (dP − Σ_s dP ⊙ P),   ∂Q = dS·K/√K,   ∂K = dSᵀ·Q/√K,
 * where query heads that share a key head add up.
 *
 * Q [B, H, T, K]; K and V [B, H_kv, S, K]; an optional fourth input [B, S] (bool) says which keys may be seen.
 * Step by step: docs/derivations/attention.md.
 */
import { ShapeError, typeOf } from '../errors.ts';
import { type Op, once } from '../op.ts';
import { requireDType, requireSameDType, requireShape } from '../shape.ts';

/** softmax(Tril(QKᵀ)/√K)·V as one fused op; `composed.attention` (composed.ts) is its definition. */
export const attention: Op<{ readonly causal: boolean }> = {
  name: 'attention',
  inputs: ['q', 'k', 'v', 'visible'],
  check([q, k, v, visible], { causal }) {
    requireDType('attention', 'q', q);
    requireSameDType('attention', { q, k, v });
    requireShape('attention', 'q', q, ['B', 'H', 'T', 'K']);
    requireShape('attention', 'k', k, [q.shape[0], 'H_kv', 'S', q.shape[3]]);
    requireShape('attention', 'v', v, k.shape);
    const got = { q: typeOf(q), k: typeOf(k) };
    if (q.shape[1] % k.shape[1] !== 0) {
      const rule = `${q.shape[1]} query heads do not share ${k.shape[1]} key heads evenly`;
      throw new ShapeError({ op: 'attention', argument: 'k', axis: 1, got, rule });
    }
    if (causal && q.shape[2] > k.shape[2]) {
      const rule = `${q.shape[2]} queries are more than ${k.shape[2]} keys`;
      const hint = 'with a causal mask the queries are the last positions of the keys.';
      throw new ShapeError({ op: 'attention', argument: 'q', axis: 2, got, rule, hint });
    }
    if (visible === undefined) return;
    requireDType('attention', 'visible', visible, ['bool']);
    requireShape('attention', 'visible', visible, [k.shape[0], k.shape[2]]);
  },
  forward(backend, [q, k, v, visible], attrs) {
    const { y, saved } = backend.attention(q, k, v, visible ?? null, attrs);
    return { out: y, saved };
  },
  backward({ k: backend, inputs: [q, k, v, visible], attrs, saved, dy }) {
    const grads = once(() => backend.attentionBackward(q, k, v, visible ?? null, attrs, saved, dy));
    return [() => grads().dq, () => grads().dk, () => grads().dv, null];
  },
};
