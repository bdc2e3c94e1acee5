/**
 * Attention, query by query, in double precision from the stored q, k, v to the stored result.
 *
 * Scores are not rounded on the way: with scores of some 10⁴ (EVA's ViT has such) a float32 score is off by 10⁻³, and so
 * is then the ratio of two probabilities. Nothing is saved for the gradient either; it computes the row again.
 *
 * B batch, H query heads, H_kv key heads, T queries, S keys, K head width
 */
import type { AttentionOptions, Backend, View } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result, type Strided } from './host.ts';

interface Operands {
  readonly q: Strided;
  readonly k: Strided;
  readonly v: Strided;
  readonly visible: Strided | null;
  readonly causal: boolean;
}

/** One (batch, head, query): where its row of q lies, and its probabilities over the keys. */
interface QueryRow {
  readonly b: number;
  readonly h: number;
  readonly kvHead: number;
  readonly t: number;
  /** softmax of the scores; zeros where hidden. Valid until the next row. */
  readonly p: Float64Array;
  readonly seen: number;
}

const at = (x: Strided, i: number, j: number, l: number) =>
  x.offset + i * x.stride[0] + j * x.stride[1] + l * x.stride[2];

function forEachQuery({ q, k, visible, causal }: Operands, visit: (row: QueryRow) => void): void {
  const [B, H, T, K] = q.shape;
  const [, kvHeads, S] = k.shape;
  const scale = 1 / Math.sqrt(K);
  const p = new Float64Array(S);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const kvHead = Math.floor((h * kvHeads) / H);
      for (let t = 0; t < T; t++) {
        const seen = causal ? t + S - T + 1 : S;
        p.fill(0);
        let max = Number.NEGATIVE_INFINITY;
        for (let s = 0; s < seen; s++) {
          p[s] = isVisible(visible, b, s)
            ? scale * dot(q, at(q, b, h, t), k, at(k, b, kvHead, s), K)
            : Number.NEGATIVE_INFINITY;
          max = Math.max(max, p[s]);
        }
        normalize(p, seen, max);
        visit({ b, h, kvHead, t, p, seen });
      }
    }
  }
}

function isVisible(visible: Strided | null, b: number, s: number): boolean {
  return (
    visible === null || visible.data[visible.offset + b * visible.stride[0] + s * visible.stride[1]] !== 0
  );
}

function dot(x: Strided, xAt: number, y: Strided, yAt: number, K: number): number {
  const [xs, ys, xStep, yStep] = [x.data, y.data, x.stride[3], y.stride[3]];
  let sum = 0;
  for (let i = 0; i < K; i++) sum += xs[xAt + i * xStep] * ys[yAt + i * yStep];
  return sum;
}

/** Scores to probabilities, in place. A row of −∞ becomes zeros. */
function normalize(p: Float64Array, seen: number, max: number): void {
  if (max === Number.NEGATIVE_INFINITY) {
    p.fill(0);
    return;
  }
  let sum = 0;
  for (let s = 0; s < seen; s++) {
    p[s] = Math.exp(p[s] - max);
    sum += p[s];
  }
  for (let s = 0; s < seen; s++) p[s] /= sum;
}

function operands(q: View, k: View, v: View, visible: View | null, { causal }: AttentionOptions): Operands {
  return {
    q: asNdarray(q),
    k: asNdarray(k),
    v: asNdarray(v),
    visible: visible === null ? null : asNdarray(visible),
    causal,
  };
}

export function attentionKernels(heap: Heap): Pick<Backend, 'attention' | 'attentionBackward'> {
  return {
    attention(q, k, v, visible, options) {
      const y = result(heap, q.shape, q.buffer.dtype);
      const ops = operands(q, k, v, visible, options);
      const Y = asNdarray(y);
      const K = q.shape[3];
      const [vs, vStep] = [ops.v.data, ops.v.stride[3]];
      const sum = new Float64Array(K);
      forEachQuery(ops, ({ b, h, kvHead, t, p, seen }) => {
        sum.fill(0);
        for (let s = 0; s < seen; s++) {
          if (p[s] === 0) continue;
          const vAt = at(ops.v, b, kvHead, s);
          for (let i = 0; i < K; i++) sum[i] += p[s] * vs[vAt + i * vStep];
        }
        Y.data.set(sum, at(Y, b, h, t));
      });
      return { y, saved: [] };
    },

    // With P = softmax(S), S = q·kᵀ·scale, y = P·v:  dv = Pᵀdy,  dP = dy·vᵀ,  dS = P ⊙ (dP − Σ dP ⊙ P),
    // dq = scale·dS·k,  dk = scale·dSᵀ·q. Heads that share a key head add up in dk and dv.
    attentionBackward(q, k, v, visible, options, _saved, dy) {
      const views = {
        dq: result(heap, q.shape, q.buffer.dtype),
        dk: result(heap, k.shape, k.buffer.dtype),
        dv: result(heap, v.shape, v.buffer.dtype),
      };
      const ops = operands(q, k, v, visible, options);
      const DY = asNdarray(dy);
      const [DQ, DK, DV] = [asNdarray(views.dq), asNdarray(views.dk), asNdarray(views.dv)];
      const [S, K] = [k.shape[2], k.shape[3]];
      const scale = 1 / Math.sqrt(K);
      const dS = new Float64Array(S);
      const dqRow = new Float64Array(K);
      const dkSum = new Float64Array(DK.data.length);
      const dvSum = new Float64Array(DV.data.length);
      forEachQuery(ops, ({ b, h, kvHead, t, p, seen }) => {
        const dyAt = at(DY, b, h, t);
        const qAt = at(ops.q, b, h, t);
        let mean = 0;
        for (let s = 0; s < seen; s++) {
          dS[s] = dot(DY, dyAt, ops.v, at(ops.v, b, kvHead, s), K);
          mean += dS[s] * p[s];
        }
        dqRow.fill(0);
        for (let s = 0; s < seen; s++) {
          const ds = scale * p[s] * (dS[s] - mean);
          const kAt = at(ops.k, b, kvHead, s);
          const row = at(DK, b, kvHead, s);
          for (let i = 0; i < K; i++) {
            dqRow[i] += ds * ops.k.data[kAt + i * ops.k.stride[3]];
            dkSum[row + i] += ds * ops.q.data[qAt + i * ops.q.stride[3]];
            dvSum[row + i] += p[s] * DY.data[dyAt + i * DY.stride[3]];
          }
        }
        DQ.data.set(dqRow, at(DQ, b, h, t));
      });
      DK.data.set(dkSum);
      DV.data.set(dvSum);
      return views;
    },
  };
}
