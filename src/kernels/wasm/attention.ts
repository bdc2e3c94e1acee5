/** Attention, head by head. B batch, H query heads, H_kv key heads, T queries, S keys, K head width. */
import type { Backend, View } from '../backend.ts';
import { isDense } from '../views.ts';
import { isFloat32, type Parts, result } from './dense.ts';

/** Queries whose scores are held at a time: 64 rows of 2000 keys are 512 KiB, what a second-level cache holds. */
const BLOCK = 64;

/** Where one head of a [B, H, T, K] view begins, and its row and column strides, all in bytes. */
type Head = readonly [start: number, row: number, column: number];

export function attentionKernels(parts: Parts): Pick<Backend, 'attention' | 'attentionBackward'> {
  const { heap, kernels, host } = parts;

  function headOf(x: View, b: number, h: number): Head {
    const [sB, sH, sT, sK] = x.strides.map((step) => step * 4);
    return [heap.addressOf(x) + b * sB + h * sH, sT, sK];
  }

  function denseBytes(visible: View | null): View | null {
    return visible === null || isDense(visible) ? visible : host.copy(visible);
  }

  /** Calls `visit` for every query head with its number, its key head, and the bytes saying which keys are visible. */
  function forEachHead(
    q: View,
    k: View,
    visible: View | null,
    visit: (b: number, h: number, kvHead: number, head: number, visibleAt: number) => void,
  ): void {
    const [B, H] = q.shape;
    const [, kvHeads, S] = k.shape;
    const bytes = denseBytes(visible);
    for (let b = 0; b < B; b++) {
      const visibleAt = bytes === null ? 0 : heap.addressOf(bytes) + b * S;
      for (let h = 0; h < H; h++) visit(b, h, Math.floor((h * kvHeads) / H), b * H + h, visibleAt);
    }
    if (bytes !== null && bytes !== visible) heap.release(bytes.buffer);
  }

  return {
    attention(q, k, v, visible, options) {
      if (!isFloat32(q)) return host.attention(q, k, v, visible, options);
      const [B, H, T, K] = q.shape;
      const S = k.shape[2];
      const y = result(parts, q.shape);
      const stats = result(parts, [B, H, T, 2]);
      const scores = heap.allocate('float32', Math.min(BLOCK, T) * S, false);
      const causal = Number(options.causal);
      forEachHead(q, k, visible, (b, h, kvHead, head, visibleAt) => {
        kernels.attention(
          T,
          S,
          K,
          ...headOf(q, b, h),
          ...headOf(k, b, kvHead),
          ...headOf(v, b, kvHead),
          visibleAt,
          causal,
          1 / Math.sqrt(K),
          heap.addressOf(y) + 4 * head * T * K,
          heap.addressOf(stats) + 8 * head * T,
          scores.pointer,
          BLOCK,
        );
      });
      heap.release(scores);
      return { y, saved: [stats] };
    },

    attentionBackward(q, k, v, visible, options, saved, dy) {
      if (!isFloat32(q)) return host.attentionBackward(q, k, v, visible, options, saved, dy);
      const [stats] = saved;
      const [, , T, K] = q.shape;
      const [, kvHeads, S] = k.shape;
      const dq = result(parts, q.shape);
      // Every block of queries, and every head that shares a key head, adds to these.
      const dk = host.fill(k.shape, 0, 'float32');
      const dv = host.fill(v.shape, 0, 'float32');
      const room = Math.min(BLOCK, T) * S;
      const [scores, slopes] = [heap.allocate('float32', room, false), heap.allocate('float32', room, false)];
      const causal = Number(options.causal);
      forEachHead(q, k, visible, (b, h, kvHead, head, visibleAt) => {
        const keyOffset = 4 * (b * kvHeads + kvHead) * S * K;
        kernels.attentionBackward(
          T,
          S,
          K,
          ...headOf(q, b, h),
          ...headOf(k, b, kvHead),
          ...headOf(v, b, kvHead),
          visibleAt,
          causal,
          1 / Math.sqrt(K),
          heap.addressOf(stats) + 8 * head * T,
          ...headOf(dy, b, h),
          heap.addressOf(dq) + 4 * head * T * K,
          heap.addressOf(dk) + keyOffset,
          heap.addressOf(dv) + keyOffset,
          scores.pointer,
          slopes.pointer,
          BLOCK,
        );
      });
      heap.release(scores);
      heap.release(slopes);
      return { dq, dk, dv };
    },
  };
}
