/**
 * Attention, as lists of kernel calls that can run in any order and on any thread: their results neither overlap nor
 * depend on how the work is divided. B batch, H query heads, H_kv key heads, T queries, S keys, K head width.
 */
import type { AttentionOptions, Backend, View } from '../backend.ts';
import { isDense, sizeOf } from '../views.ts';
import { isFloat32, type Parts, result } from './dense.ts';
import { type Arguments, LANES } from './generated/signatures.ts';
import type { Wasm } from './module.ts';

/** Calls for each thread, so that one which is slower does not keep the others waiting. */
const CALLS_PER_THREAD = 4;
/** Packing the keys for a call pays from this many queries on; whole panels of those that go through together. */
const MIN_QUERIES = 8 * LANES;

/** Where one head of a [B, H, T, K] view begins, and its row and column strides, all in bytes. */
type Head = readonly [start: number, row: number, column: number];

function headOf({ heap }: Wasm, x: View, b: number, h: number): Head {
  const [sB, sH, sT, sK] = x.strides.map((step) => step * 4);
  return [heap.addressOf(x) + b * sB + h * sH, sT, sK];
}

/** The operands of both directions; `visible` is dense. */
export interface Operands {
  readonly q: View;
  readonly k: View;
  readonly v: View;
  readonly visible: View | null;
  readonly causal: boolean;
}

/** Working memory of all threads and how much of it is each one's. */
export interface Work {
  readonly address: number;
  readonly share: number;
}

/** Writes attention to the dense y [B, H, T, K], each head's queries divided among `pieces` calls at most. */
export function attentionCalls(
  wasm: Wasm,
  { q, k, v, visible, causal }: Operands,
  y: View,
  work: Work,
  pieces: number,
): Arguments['attention'][] {
  const [B, H, T, K] = q.shape;
  const [, kvHeads, S] = k.shape;
  const queries = Math.max(MIN_QUERIES, Math.ceil(T / pieces / LANES) * LANES);
  const calls: Arguments['attention'][] = [];
  for (let b = 0; b < B; b++) {
    const visibleAt = visible === null ? 0 : wasm.heap.addressOf(visible) + b * S;
    for (let h = 0; h < H; h++) {
      const kvHead = Math.floor((h * kvHeads) / H);
      const [qAt, qT, qK] = headOf(wasm, q, b, h);
      const [kAt, kS, kK] = headOf(wasm, k, b, kvHead);
      const [vAt, vS, vK] = headOf(wasm, v, b, kvHead);
      for (let from = 0; from < T; from += queries) {
        calls.push({
          T,
          S,
          K,
          from,
          to: Math.min(T, from + queries),
          q: qAt,
          qT,
          qK,
          k: kAt,
          kS,
          kK,
          v: vAt,
          vS,
          vK,
          visible: visibleAt,
          causal: Number(causal),
          scale: 1 / Math.sqrt(K),
          y: wasm.heap.addressOf(y) + 4 * (b * H + h) * T * K,
          work: work.address,
          share: work.share,
        });
      }
    }
  }
  return calls;
}

/** Writes the gradients to the dense dq, dk and dv; one call per key head, to which all heads that share it add. */
export function attentionBackwardCalls(
  wasm: Wasm,
  { q, k, v, visible, causal }: Operands,
  dy: View,
  { dq, dk, dv }: { dq: View; dk: View; dv: View },
  work: Work,
): Arguments['attentionBackward'][] {
  const [B, H, T, K] = q.shape;
  const [, kvHeads, S] = k.shape;
  const { heap } = wasm;
  const calls: Arguments['attentionBackward'][] = [];
  for (let b = 0; b < B; b++) {
    const visibleAt = visible === null ? 0 : heap.addressOf(visible) + b * S;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      // Query head h uses key head ⌊h·H_kv/H⌋.
      const h = Math.ceil((kvHead * H) / kvHeads);
      const heads = Math.ceil(((kvHead + 1) * H) / kvHeads) - h;
      const [qAt, qT, qK] = headOf(wasm, q, b, h);
      const [kAt, kS, kK] = headOf(wasm, k, b, kvHead);
      const [vAt, vS, vK] = headOf(wasm, v, b, kvHead);
      const [dyAt, dyT, dyK] = headOf(wasm, dy, b, h);
      const keyOffset = 4 * (b * kvHeads + kvHead) * S * K;
      calls.push({
        heads,
        T,
        S,
        K,
        q: qAt,
        qH: 4 * q.strides[1],
        qT,
        qK,
        k: kAt,
        kS,
        kK,
        v: vAt,
        vS,
        vK,
        visible: visibleAt,
        causal: Number(causal),
        scale: 1 / Math.sqrt(K),
        dy: dyAt,
        dyH: 4 * dy.strides[1],
        dyT,
        dyK,
        dq: heap.addressOf(dq) + 4 * (b * H + h) * T * K,
        dk: heap.addressOf(dk) + keyOffset,
        dv: heap.addressOf(dv) + keyOffset,
        work: work.address,
        share: work.share,
      });
    }
  }
  return calls;
}

/** Work of attention as the pool counts it: two products. */
function elementsOf(q: View, k: View): number {
  return (sizeOf(q.shape) * k.shape[2]) / 6;
}

export function attentionKernels(parts: Parts): Pick<Backend, 'attention' | 'attentionBackward'> {
  const { heap, kernels, pool, host } = parts;

  /** Calls `use` with dense operands and working memory, which are released afterwards. */
  function prepared(
    q: View,
    k: View,
    v: View,
    visible: View | null,
    { causal }: AttentionOptions,
    share: number,
    use: (operands: Operands, work: Work) => void,
  ): void {
    const bytes = visible === null || isDense(visible) ? visible : host.copy(visible);
    const room = heap.allocate('bool', pool.threads * share, false);
    use({ q, k, v, visible: bytes, causal }, { address: room.pointer, share });
    heap.release(room);
    if (bytes !== null && bytes !== visible) heap.release(bytes.buffer);
  }

  return {
    attention(q, k, v, visible, options) {
      if (!isFloat32(q)) return host.attention(q, k, v, visible, options);
      const y = result(parts, q.shape);
      const [B, H, , K] = q.shape;
      const pieces =
        pool.threads === 1 ? 1 : Math.ceil((pool.threads * CALLS_PER_THREAD) / Math.max(1, B * H));
      const share = kernels.attentionShare({ S: k.shape[2], K });
      prepared(q, k, v, visible, options, share, (operands, work) =>
        pool.run('attention', attentionCalls(parts, operands, y, work, pieces), elementsOf(q, k)),
      );
      return { y, saved: [] };
    },

    attentionBackward(q, k, v, visible, options, saved, dy) {
      if (!isFloat32(q)) return host.attentionBackward(q, k, v, visible, options, saved, dy);
      const [dq, dk, dv] = [result(parts, q.shape), result(parts, k.shape), result(parts, v.shape)];
      const share = kernels.attentionBackwardShare({ S: k.shape[2], K: q.shape[3] });
      prepared(q, k, v, visible, options, share, (operands, work) =>
        pool.run(
          'attentionBackward',
          attentionBackwardCalls(parts, operands, dy, { dq, dk, dv }, work),
          elementsOf(q, k),
        ),
      );
      return { dq, dk, dv };
    },
  };
}
