/**
 * Attention of one head: y = softmax(Tril(q·kᵀ)·scale)·v, in blocks of queries, so that the scores of a block stay in the
 * cache and never T·S of them exist. The gradient computes them again, by the same operations and so to the same bits,
 * and takes shift and 1/Σ of each row from the forward pass.
 *
 * T queries, S keys, K head width. Strides in bytes: q, k, v and dy have any; y, dq, dk and dv are dense.
 */
import { gemm, matmul } from './gemm';
import { rowDot } from './reduce';
import { expRow, rowMax } from './softmax';
import { loadUpTo4, storeUpTo4 } from './vector';

/** Keys that some query of the block up to `to` (exclusive) sees. */
@inline
function width(S: i32, T: i32, to: i32, causal: i32): i32 {
  return causal ? max(0, min(S, to + S - T)) : S;
}

/** Scores of hidden keys become −∞; `visible` is one byte per key, or address 0. */
function hide(n: i32, row: usize, visible: usize): void {
  if (!visible) return;
  for (let s = 0; s < n; s++) {
    if (!load<u8>(visible + s)) store<f32>(row + (<usize>s << 2), -Infinity);
  }
}

@inline
function scaleRow(n: i32, row: usize, by: f32): void {
  const factor = f32x4.splat(by);
  for (let left = n; left > 0; left -= 4, row += 16) {
    storeUpTo4(row, f32x4.mul(loadUpTo4(row, left, 0.0), factor), left);
  }
}

/** `scores` has room for `block` rows of S; `stats` gets shift and 1/Σ of each query, [T, 2]. */
export function attention(
  T: i32, S: i32, K: i32,
  q: usize, qT: usize, qK: usize,
  k: usize, kS: usize, kK: usize,
  v: usize, vS: usize, vK: usize,
  visible: usize, causal: i32, scale: f32,
  y: usize, stats: usize, scores: usize, block: i32,
): void {
  const yRow = <usize>K << 2;
  for (let t0 = 0; t0 < T; t0 += block) {
    const rows = min(block, T - t0);
    const n = width(S, T, t0 + rows, causal);
    const row = <usize>n << 2;
    matmul(rows, n, K, q + <usize>t0 * qT, qT, qK, k, kK, kS, scores, row);
    for (let r = 0; r < rows; r++) {
      const at = scores + <usize>r * row;
      const sees = width(S, T, t0 + r + 1, causal);
      hide(sees, at, visible);
      const most = rowMax(sees, at);
      const shift = most * scale;
      const stat = stats + (<usize>(t0 + r) << 3);
      let over: f32 = 0;
      if (most == -Infinity) memory.fill(at, 0, row);
      else {
        over = <f32>(1.0 / expRow(sees, at, scale, shift, at));
        memory.fill(at + (<usize>sees << 2), 0, <usize>(n - sees) << 2);
      }
      store<f32>(stat, most == -Infinity ? 0 : shift);
      store<f32>(stat, over, 4);
    }
    const to = y + <usize>t0 * yRow;
    matmul(rows, K, n, scores, row, 4, v, vS, vK, to, yRow);
    // Dividing by Σ here takes K divisions a row instead of S.
    for (let r = 0; r < rows; r++) scaleRow(K, to + <usize>r * yRow, load<f32>(stats + (<usize>(t0 + r) << 3), 4));
  }
}

/**
 * P = softmax: dv += Pᵀdy, dP = dy·vᵀ, dS = scale·P ⊙ (dP − Σ dP ⊙ P), dq = dS·k, dk += dSᵀ·q. `scores` and `slopes`
 * have room for `block` rows of S.
 */
export function attentionBackward(
  T: i32, S: i32, K: i32,
  q: usize, qT: usize, qK: usize,
  k: usize, kS: usize, kK: usize,
  v: usize, vS: usize, vK: usize,
  visible: usize, causal: i32, scale: f32,
  stats: usize, dy: usize, dyT: usize, dyK: usize,
  dq: usize, dk: usize, dv: usize,
  scores: usize, slopes: usize, block: i32,
): void {
  const out = <usize>K << 2;
  for (let t0 = 0; t0 < T; t0 += block) {
    const rows = min(block, T - t0);
    const n = width(S, T, t0 + rows, causal);
    const row = <usize>n << 2;
    const qBlock = q + <usize>t0 * qT, dyBlock = dy + <usize>t0 * dyT;
    matmul(rows, n, K, qBlock, qT, qK, k, kK, kS, scores, row);
    matmul(rows, n, K, dyBlock, dyT, dyK, v, vK, vS, slopes, row);
    for (let r = 0; r < rows; r++) {
      const p = scores + <usize>r * row, d = slopes + <usize>r * row;
      const sees = width(S, T, t0 + r + 1, causal);
      const stat = stats + (<usize>(t0 + r) << 3);
      const shift = load<f32>(stat), over = load<f32>(stat, 4);
      if (over == 0) memory.fill(p, 0, row);
      else {
        hide(sees, p, visible);
        expRow(sees, p, scale, shift, p);
        memory.fill(p + (<usize>sees << 2), 0, <usize>(n - sees) << 2);
        scaleRow(sees, p, over);
      }
      const mean = f32x4.splat(<f32>rowDot(sees, p, d));
      const by = f32x4.splat(scale);
      for (let left = n, at: usize = 0; left > 0; left -= 4, at += 16) {
        const centred = f32x4.sub(loadUpTo4(d + at, left, 0.0), mean);
        storeUpTo4(d + at, f32x4.mul(f32x4.mul(centred, by), loadUpTo4(p + at, left, 0.0)), left);
      }
    }
    gemm(n, K, rows, scores, 4, row, dyBlock, dyT, dyK, dv, out, true);
    gemm(n, K, rows, slopes, 4, row, qBlock, qT, qK, dk, out, true);
    matmul(rows, K, n, slopes, row, 4, k, kS, kK, dq + <usize>t0 * out, out);
  }
}
