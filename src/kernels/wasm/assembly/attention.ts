/**
 * Attention of one head, y = softmax(Tril(q·kᵀ)·scale)·v, and its gradient. Keys and values are packed once; queries go
 * through in blocks of panels of eight (panels.ts), whose scores stay in the cache and never are T·S in number. The
 * gradient saves nothing: it computes the exponentials again, by the same operations and so to the same bits.
 *
 * T queries, S keys, K head width. Strides in bytes: q, k, v and dy have any; y, dq, dk and dv are dense. Working memory
 * is that of the thread: `work` + thread · `share`.
 */
import { matmul } from './gemm';
import { LANE_BYTES, LANES, pack, ROWS, roundUp, TILE_BYTES, tile, tileOverLanes, unpack } from './panels';
import { exponentials, isLarge, refine, slopes, width } from './scores';
import { expRow, rowMax } from './softmax';
import { thread } from './thread';
import { loadUpTo4, storeUpTo4 } from './vector';

/** Queries whose scores are held at a time. */
const BLOCK: i32 = 32;
/** Keys over which P·v and dS·k add in float32 before they join the total, as gemm.ts does. */
const RUN: i32 = 32;
/** Up to this many queries, packing k and v would take longer than reading them where they are. */
const FEW_QUERIES: i32 = 4;

/** From one panel of scores to the next; not a power of two, so that the panels of a block do not meet in one set of the cache. */
@inline
function panelBytes(keys: i32): usize {
  return (<usize>roundUp(keys, ROWS) << 5) + TILE_BYTES;
}

/** Bytes of `rows` · n floats when both are filled up to whole panels. */
@inline
function packedBytes(rows: i32, n: i32): usize {
  return <usize>(roundUp(rows, LANES) * roundUp(n, LANES)) << 2;
}

/** Bytes of working memory a thread needs for S keys: see {@link attention} for what is in it. */
export function attentionShare(S: i32, K: i32): usize {
  return 256 + (<usize>roundUp(S, LANES) << 3) + 2 * packedBytes(S, K) + packedBytes(BLOCK, K) + packedBytes(LANES, K) +
    <usize>(BLOCK / LANES) * panelBytes(S);
}

/** Likewise for the gradient. */
export function attentionBackwardShare(S: i32, K: i32): usize {
  return 512 + (<usize>roundUp(S, LANES) << 3) + 5 * packedBytes(S, K) + 4 * packedBytes(BLOCK, K) +
    packedBytes(LANES, K) + 2 * <usize>(BLOCK / LANES) * panelBytes(S);
}

/** Scores of a block: for each panel of queries, [keys, 8], as far as its last query sees. `panel` bytes apart. */
function scoresOfBlock(
  S: i32, T: i32, K: i32, from: i32, to: i32, causal: i32, keys: usize, queries: usize, scores: usize, panel: usize,
): void {
  const n = width(S, T, to, causal);
  const bytes = <usize>K << 5;
  let first = 0;
  for (let s = 0; s < n; s += ROWS, keys += <usize>K << 4) {
    while (width(S, T, min(to, from + (first + 1) * LANES), causal) <= s) first += 1;
    for (let p = first; from + p * LANES < to; p++) {
      tile(K, keys, queries + <usize>p * bytes, scores + <usize>p * panel + (<usize>s << 5), false);
    }
  }
}

/** out [K, 8] = columns · panel: K/4 panels of `columns`, `apart` bytes each, times [n, 8]. n is a multiple of 4. */
function combine(K: i32, n: i32, columns: usize, apart: usize, panel: usize, out: usize): void {
  if (n == 0) memory.fill(out, 0, <usize>roundUp(K, ROWS) << 5);
  for (let s = 0; s < n; s += RUN) {
    const run = min(RUN, n - s);
    for (let c = 0; c < K; c += ROWS) {
      const a = columns + <usize>(c / ROWS) * apart + (<usize>s << 4);
      tile(run, a, panel + (<usize>s << 5), out + (<usize>c << 5), s > 0);
    }
  }
}

/** Queries `from` to `to` (exclusive) of one head; the result of a query does not depend on the others. */
export function attention(
  T: i32, S: i32, K: i32, from: i32, to: i32,
  q: usize, qT: usize, qK: usize,
  k: usize, kS: usize, kK: usize,
  v: usize, vS: usize, vK: usize,
  visible: usize, causal: i32, scale: f64,
  y: usize, work: usize, share: usize,
): void {
  if (K == 0) return;
  const lanes = work + <usize>thread * share;
  const over = lanes + 64;
  const exact = lanes + 256;
  const keys = exact + (<usize>roundUp(S, LANES) << 3);
  if (T <= FEW_QUERIES) {
    fewQueries(T, S, K, from, to, q, qT, qK, k, kS, kK, v, vS, vK, visible, causal, scale, y, exact, keys);
    return;
  }
  const values = keys + packedBytes(S, K);
  const queries = values + packedBytes(S, K);
  const out = queries + packedBytes(BLOCK, K);
  const scores = out + packedBytes(LANES, K);
  const panel = panelBytes(S);
  const sees = width(S, T, to, causal);
  const padded = roundUp(sees, ROWS);
  pack(ROWS, sees, K, K, k, kS, kK, keys);
  pack(ROWS, K, sees, padded, v, vK, vS, values);
  for (let t0 = from; t0 < to; t0 += BLOCK) {
    const stop = min(to, t0 + BLOCK);
    pack(LANES, stop - t0, K, K, q + <usize>t0 * qT, qT, qK, queries);
    scoresOfBlock(S, T, K, t0, stop, causal, keys, queries, scores, panel);
    for (let t = t0, at = scores; t < stop; t += LANES, at += panel) {
      const end = min(stop, t + LANES);
      const n = roundUp(width(S, T, end, causal), ROWS);
      exponentials(
        n, at, visible, S, T, t, end, causal, K, q, qT, qK, k, kS, kK, scale, exact, lanes, over,
      );
      combine(K, n, values, <usize>padded << 4, at, out);
      // Dividing by Σ here takes K divisions a query instead of S.
      unpack(end - t, K, out, over, y + (<usize>(t * K) << 2), <usize>K << 2);
    }
  }
}

/** The same with scores in rows, for generation: what takes time there is reading k and v. */
function fewQueries(
  T: i32, S: i32, K: i32, from: i32, to: i32,
  q: usize, qT: usize, qK: usize,
  k: usize, kS: usize, kK: usize,
  v: usize, vS: usize, vK: usize,
  visible: usize, causal: i32, scale: f64,
  y: usize, exact: usize, scores: usize,
): void {
  const rows = to - from;
  const n = width(S, T, to, causal);
  const row = <usize>n << 2, yRow = <usize>K << 2;
  y += <usize>from * yRow;
  q += <usize>from * qT;
  matmul(rows, n, K, q, qT, qK, k, kK, kS, scores, row);
  const over = scores + <usize>rows * row;
  for (let r = 0; r < rows; r++) {
    const at = scores + <usize>r * row;
    const sees = width(S, T, from + r + 1, causal);
    if (visible) {
      for (let s = 0; s < sees; s++) if (!load<u8>(visible + s)) store<f32>(at + (<usize>s << 2), -Infinity);
    }
    const most = rowMax(sees, at);
    let sum: f64 = Infinity;
    if (most == -Infinity) memory.fill(at, 0, row);
    else {
      if (isLarge(most, scale)) {
        refine(sees, at, 4, K, q + <usize>r * qT, qK, k, kS, kK, scale, most, exact);
        sum = expRow(sees, at, 1, 0, at);
      } else sum = expRow(sees, at, <f32>scale, most * <f32>scale, at);
      memory.fill(at + (<usize>sees << 2), 0, <usize>(n - sees) << 2);
    }
    store<f32>(over + (<usize>r << 2), <f32>(1 / sum));
  }
  matmul(rows, K, n, scores, row, 4, v, vS, vK, y, yRow);
  for (let r = 0; r < rows; r++, y += yRow) {
    const by = v128.load_splat<f32>(over + (<usize>r << 2));
    for (let left = K, at = y; left > 0; left -= 4, at += 16) {
      storeUpTo4(at, f32x4.mul(loadUpTo4(at, left, 0.0), by), left);
    }
  }
}

/** totals [K/8 panels, S, 8] += Pᵀ · x: panels of a block, times [K/8 panels, BLOCK, 8]. */
function addOverQueries(
  S: i32, T: i32, K: i32, from: i32, to: i32, causal: i32,
  p: usize, panel: usize, x: usize, totals: usize,
): void {
  const n = width(S, T, to, causal);
  const column = <usize>roundUp(S, ROWS) << 5;
  const count = roundUp(to - from, LANES) / LANES;
  for (let c = 0; c < K; c += LANES, x += <usize>BLOCK << 5, totals += column) {
    let first = 0;
    for (let s = 0; s < n; s += ROWS) {
      while (width(S, T, min(to, from + (first + 1) * LANES), causal) <= s) first += 1;
      const a = p + <usize>first * panel + (<usize>s << 5);
      tileOverLanes(count - first, a, panel, x + <usize>first * (LANES * LANE_BYTES), totals + (<usize>s << 5));
    }
  }
}

/**
 * Takes the mean key off every key of K/4 panels, `apart` bytes each. dq = dS·k stays what it is, as dS adds up to 0, but
 * what rounding leaves of that 0 is no longer multiplied by what all keys have in common.
 */
function centre(K: i32, S: i32, panels: usize, apart: usize): void {
  for (let c = 0; c < K; c += ROWS, panels += apart) {
    let s0 = f32x4.splat(0), s1 = s0;
    const end = panels + (<usize>S << 4);
    let at = panels;
    for (; at + 32 <= end; at += 32) {
      s0 = f32x4.add(s0, v128.load(at));
      s1 = f32x4.add(s1, v128.load(at, 16));
    }
    if (at < end) s0 = f32x4.add(s0, v128.load(at));
    const mean = f32x4.mul(f32x4.add(s0, s1), f32x4.splat(1 / <f32>S));
    for (at = panels; at < end; at += 16) v128.store(at, f32x4.sub(v128.load(at), mean));
  }
}

/** Row t of [K/8 panels, BLOCK, 8] times float t of `factors`. */
function scaleRows(K: i32, rows: i32, x: usize, factors: usize): void {
  for (let c = 0; c < K; c += LANES, x += <usize>BLOCK << 5) {
    for (let t = 0, at = x; t < rows; t++, at += LANE_BYTES) {
      const by = v128.load_splat<f32>(factors + (<usize>t << 2));
      v128.store(at, f32x4.mul(v128.load(at), by));
      v128.store(at, f32x4.mul(v128.load(at, 16), by), 16);
    }
  }
}

/** Panels [K/8, S, 8] as dense rows of K. */
function writeRows(S: i32, K: i32, from: usize, to: usize): void {
  const column = <usize>roundUp(S, ROWS) << 5;
  for (let c = 0; c < K; c += LANES, from += column) {
    for (let s = 0, at = from, put = to + (<usize>c << 2); s < S; s++, at += LANE_BYTES, put += <usize>K << 2) {
      storeUpTo4(put, v128.load(at), K - c);
      if (K - c > 4) storeUpTo4(put + 16, v128.load(at, 16), K - c - 4);
    }
  }
}

/**
 * One key head with the `heads` query heads that share it. With P = softmax and e = P·Σ: dv = Σ eᵀ·(dy/Σ), dP = dy·vᵀ,
 * dS = scale·P ⊙ (dP − Σ dP ⊙ P), dq = dS·k, dk = Σ dSᵀ·q, where the sums of dk and dv go over the heads too.
 */
export function attentionBackward(
  heads: i32, T: i32, S: i32, K: i32,
  q: usize, qH: usize, qT: usize, qK: usize,
  k: usize, kS: usize, kK: usize,
  v: usize, vS: usize, vK: usize,
  visible: usize, causal: i32, scale: f64,
  dy: usize, dyH: usize, dyT: usize, dyK: usize,
  dq: usize, dk: usize, dv: usize,
  work: usize, share: usize,
): void {
  if (K == 0) return;
  const padded = roundUp(S, ROWS);
  const panel = panelBytes(S);
  const ofKeys = packedBytes(S, K), ofBlock = packedBytes(BLOCK, K);
  const lanes = work + <usize>thread * share;
  const ones = lanes + 64, over = lanes + 128;
  const exact = lanes + 512;
  const keys = exact + (<usize>roundUp(S, LANES) << 3);
  const values = keys + ofKeys, keyColumns = values + ofKeys, dkSum = keyColumns + ofKeys, dvSum = dkSum + ofKeys;
  const queries = dvSum + ofKeys, queryColumns = queries + ofBlock;
  const slopesY = queryColumns + ofBlock, slopeColumns = slopesY + ofBlock;
  const out = slopeColumns + ofBlock;
  const p = out + packedBytes(LANES, K), d = p + <usize>(BLOCK / LANES) * panel;

  v128.store(ones, f32x4.splat(1));
  v128.store(ones, f32x4.splat(1), 16);
  memory.fill(dkSum, 0, 2 * ofKeys);
  pack(ROWS, S, K, K, k, kS, kK, keys);
  pack(ROWS, S, K, K, v, vS, vK, values);
  pack(ROWS, K, S, padded, k, kK, kS, keyColumns);
  centre(K, S, keyColumns, <usize>padded << 4);
  for (let h = 0; h < heads; h++, q += qH, dy += dyH, dq += <usize>(T * K) << 2) {
    for (let t0 = 0; t0 < T; t0 += BLOCK) {
      const stop = min(T, t0 + BLOCK);
      const qBlock = q + <usize>t0 * qT, dyBlock = dy + <usize>t0 * dyT;
      pack(LANES, stop - t0, K, K, qBlock, qT, qK, queries);
      pack(LANES, stop - t0, K, K, dyBlock, dyT, dyK, slopesY);
      pack(LANES, K, stop - t0, BLOCK, qBlock, qK, qT, queryColumns);
      pack(LANES, K, stop - t0, BLOCK, dyBlock, dyK, dyT, slopeColumns);
      scoresOfBlock(S, T, K, t0, stop, causal, keys, queries, p, panel);
      scoresOfBlock(S, T, K, t0, stop, causal, values, slopesY, d, panel);
      for (let t = t0; t < stop; t += LANES) {
        const end = min(stop, t + LANES);
        const n = roundUp(width(S, T, end, causal), ROWS);
        const at = <usize>((t - t0) / LANES) * panel;
        const overAt = over + (<usize>(t - t0) << 2);
        exponentials(
          n, p + at, visible, S, T, t, end, causal, K, q, qT, qK, k, kS, kK, scale, exact, lanes, overAt,
        );
        slopes(n, p + at, d + at, overAt, scale);
        combine(K, n, keyColumns, <usize>padded << 4, d + at, out);
        unpack(end - t, K, out, ones, dq + (<usize>(t * K) << 2), <usize>K << 2);
      }
      scaleRows(K, stop - t0, slopeColumns, over);
      addOverQueries(S, T, K, t0, stop, causal, p, panel, slopeColumns, dvSum);
      addOverQueries(S, T, K, t0, stop, causal, d, panel, queryColumns, dkSum);
    }
  }
  writeRows(S, K, dkSum, dk);
  writeRows(S, K, dvSum, dv);
}
