/**
 * Attention out of a backend's own matmul and softmax, for backends without a fused kernel. The probabilities are
 * written out and saved for the gradient.
 *
 * The G = H/H_kv query heads that share a key head are an axis of their own, along which keys and values broadcast
 * with stride 0.
 */
import type { Backend, View } from './backend.ts';
import { denseStrides, isDense, swapLastTwo } from './views.ts';

type Parts = Pick<
  Backend,
  'copy' | 'fill' | 'binary' | 'where' | 'sum' | 'matmul' | 'softmax' | 'softmaxBackward'
>;

/** Score of a hidden key; finite, as GPUs want it, and e^(−1e30 − max) is 0. */
const HIDDEN = -1e30;

export function composedAttention(parts: Parts): Pick<Backend, 'attention' | 'attentionBackward'> {
  const dense = (x: View) => (isDense(x) ? x : parts.copy(x));
  const scaled = (x: View, factor: number) => {
    const f = parts.fill([], factor, x.buffer.dtype);
    return parts.binary('mul', x, { ...f, shape: x.shape, strides: x.shape.map(() => 0) });
  };

  /** q [B, H, T, K] → [B, H_kv, G, T, K] */
  const grouped = (q: View, kvHeads: number): View => {
    const [B, H, T, K] = q.shape;
    const flat = dense(q);
    const shape = [B, kvHeads, H / kvHeads, T, K];
    return { ...flat, shape, strides: denseStrides(shape) };
  };

  /** [B, H_kv, S, K] → [B, H_kv, G, S, K], stride 0 along G */
  const shared = (x: View, G: number): View => {
    const [B, heads, S, K] = x.shape;
    const [b, h, s, k] = x.strides;
    return { ...x, shape: [B, heads, G, S, K], strides: [b, h, 0, s, k] };
  };

  /** [B, H_kv, G, S, K] → [B, H_kv, S, K] */
  const summedOverGroup = (x: View): View => {
    const [B, heads, G, S, K] = x.shape;
    const total = G === 1 ? x : parts.sum(x, [2]);
    return { ...total, shape: [B, heads, S, K], strides: denseStrides([B, heads, S, K]) };
  };

  return {
    attention(q, k, v, visible, options) {
      const [B, H, T, K] = q.shape;
      const heads = k.shape[1];
      const G = H / heads;
      const Q = grouped(scaled(q, 1 / Math.sqrt(K)), heads);
      const scores = parts.matmul(Q, swapLastTwo(shared(k, G))); // [B, H_kv, G, T, S]
      const hide = (x: View, value: number): View => {
        if (visible === null) return x;
        const [b, s] = visible.strides;
        const mask = { ...visible, shape: x.shape, strides: [b, 0, 0, 0, s] };
        const hidden = parts.fill([], value, x.buffer.dtype);
        return parts.where(mask, x, { ...hidden, shape: x.shape, strides: [0, 0, 0, 0, 0] });
      };
      // Hidden twice: out of the row's sum, and to zero where a row sees nothing at all.
      const P = hide(parts.softmax(hide(scores, HIDDEN), options), 0);
      const y = parts.matmul(P, shared(v, G));
      return { y: { ...y, shape: [B, H, T, K], strides: denseStrides([B, H, T, K]) }, saved: [P] };
    },

    attentionBackward(q, k, v, _visible, _options, [P], dy) {
      const [B, H, T, K] = q.shape;
      const heads = k.shape[1];
      const G = H / heads;
      const dY = grouped(dy, heads);
      const dP = parts.matmul(dY, swapLastTwo(shared(v, G)));
      const dS = scaled(parts.softmaxBackward(P, dP), 1 / Math.sqrt(K));
      const dQ = parts.matmul(dS, shared(k, G));
      return {
        dq: { ...dQ, shape: [B, H, T, K], strides: denseStrides([B, H, T, K]) },
        dk: summedOverGroup(parts.matmul(swapLastTwo(dS), grouped(q, heads))),
        dv: summedOverGroup(parts.matmul(swapLastTwo(P), dY)),
      };
    },
  };
}
