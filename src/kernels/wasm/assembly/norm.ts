/** LayerNorm and RMSNorm over dense rows of n. Statistics are taken in two passes and in float64 at the end. */
import { flushTotals, rowDot, rowSquaredDeviation, rowSum } from './reduce';
import { rest } from './thread';
import { copyRest, loadRest, madd, storeRest, sumLanes } from './vector';

/** Rows whose gradients of weight and bias are added in float32 before they go to the float64 totals. */
export const NORM_ROW_RUN: i32 = 32;
/** Elements of a row added in float32, likewise. */
const RUN: i32 = 256;

/** The mean comes in two pieces: rounded to one float32 it costs digits where it is far greater than the deviation. */
@inline
function layerNorm4(x: v128, c: v128, less: v128, s: v128, w: v128, b: v128): v128 {
  return madd(f32x4.mul(f32x4.sub(f32x4.sub(x, c), less), s), w, b);
}

/** y = (x − mean)·rstd·weight + bias. */
export function layerNorm(
  rows: i32, n: i32, x: usize, weight: usize, bias: usize, eps: f64, y: usize, mean: usize, rstd: usize,
): void {
  const left = n & 3, whole = <usize>(n & ~3) << 2;
  for (let r = 0; r < rows; r++, mean += 4, rstd += 4) {
    const centre = rowSum(n, x) / <f64>n;
    const head = <f32>centre;
    const scale = 1.0 / Math.sqrt(rowSquaredDeviation(n, x, centre) / <f64>n + eps);
    store<f32>(mean, head);
    store<f32>(rstd, <f32>scale);
    const c = f32x4.splat(head), less = f32x4.splat(<f32>(centre - <f64>head)), s = f32x4.splat(<f32>scale);
    let w = weight, b = bias;
    for (const end = x + whole; x < end; x += 16, y += 16, w += 16, b += 16) {
      v128.store(y, layerNorm4(v128.load(x), c, less, s, v128.load(w), v128.load(b)));
    }
    if (left > 0) {
      const from = loadRest(x, left, 0.0);
      storeRest(y, layerNorm4(from, c, less, s, loadRest(w, left, 0.0), loadRest(b, left, 0.0)), left);
      x += <usize>left << 2;
      y += <usize>left << 2;
    }
  }
}

/** y = weight·(x·rstd). */
export function rmsNorm(rows: i32, n: i32, x: usize, weight: usize, eps: f64, y: usize, rstd: usize): void {
  const left = n & 3, whole = <usize>(n & ~3) << 2;
  for (let r = 0; r < rows; r++, rstd += 4) {
    const scale = 1.0 / Math.sqrt(rowDot(n, x, x) / <f64>n + eps);
    store<f32>(rstd, <f32>scale);
    const s = f32x4.splat(<f32>scale);
    let w = weight;
    for (const end = x + whole; x < end; x += 16, y += 16, w += 16) {
      v128.store(y, f32x4.mul(f32x4.mul(v128.load(x), s), v128.load(w)));
    }
    if (left > 0) {
      storeRest(y, f32x4.mul(f32x4.mul(loadRest(x, left, 0.0), s), loadRest(w, left, 0.0)), left);
      x += <usize>left << 2;
      y += <usize>left << 2;
    }
  }
}

/** What `addRow` found: Σ g and Σ g·x̂. */
let sumG: f64 = 0;
let sumGx: f64 = 0;

/** Of n elements, a multiple of 4, of a row: its part of Σ g and Σ g·x̂, of dw and, if there is a mean, of db. */
@inline
function addRow(
  isCentred: bool, n: i32, x: usize, weight: usize, dy: usize, c: v128, s: v128, dw: usize, db: usize,
): void {
  while (n > 0) {
    let t = f32x4.splat(0), u = f32x4.splat(0);
    const run = min(RUN, n);
    for (const end = x + (<usize>run << 2); x < end; x += 16, weight += 16, dy += 16, dw += 16) {
      const from = v128.load(x), d = v128.load(dy);
      const normal = f32x4.mul(isCentred ? f32x4.sub(from, c) : from, s);
      const g = f32x4.mul(d, v128.load(weight));
      u = madd(g, normal, u);
      v128.store(dw, madd(d, normal, v128.load(dw)));
      if (isCentred) {
        t = f32x4.add(t, g);
        v128.store(db, f32x4.add(d, v128.load(db)));
        db += 16;
      }
    }
    if (isCentred) sumG += sumLanes(t);
    sumGx += sumLanes(u);
    n -= run;
  }
}

@inline
function slopeRow(n: i32, x: usize, weight: usize, dy: usize, dx: usize, c: v128, s: v128, mG: v128, mGx: v128): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16, weight += 16, dy += 16, dx += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x), c), s);
    const g = f32x4.mul(v128.load(dy), v128.load(weight));
    v128.store(dx, f32x4.mul(s, madd(normal, mGx, f32x4.sub(g, mG))));
  }
}

/** Bytes of a row of n floats in whole vectors. */
@inline
function paddedBytes(n: i32): usize {
  return <usize>((n + 3) & ~3) << 2;
}

/** Bytes that `normBackward` works in: 2n float64, the sums, come first. */
export function normBackwardShare(n: i32): usize {
  return (<usize>n << 4) + 2 * paddedBytes(n);
}

/**
 * Of y = x̂·w + b with x̂ = (x − mean)·rstd and g = dy·w: dx = rstd·(g − mean(g) − x̂·mean(g·x̂)), and the sums over these
 * rows of dw = Σ dy·x̂ and db = Σ dy, as float64 that `addPartials` adds up.
 * Without `mean` (address 0): RMSNorm, where x̂ = x·rstd, the term mean(g) is absent, and there is no bias.
 * `work` has {@link normBackwardShare} bytes: the sums, and two rows of float32 of whole vectors behind them; what is in it
 * does not matter.
 */
export function normBackward(
  rows: i32, n: i32, x: usize, weight: usize, mean: usize, rstd: usize, dy: usize, dx: usize, work: usize,
): void {
  const left = n & 3, whole = n & ~3, done = <usize>whole << 2, row = <usize>n << 2;
  const padded = paddedBytes(n);
  const totalWeight = work, totalBias = work + (<usize>n << 3);
  const partWeight = work + (<usize>n << 4), partBias = partWeight + padded;
  memory.fill(work, 0, normBackwardShare(n));
  // The rest of a row, filled up with zeros: x, weight, dy.
  memory.fill(rest, 0, 64);
  copyRest(left, weight + done, rest + 16);
  for (let r = 0; r < rows; r++, x += row, dy += row, dx += row, rstd += 4) {
    const c = mean ? v128.load_splat<f32>(mean + (<usize>r << 2)) : f32x4.splat(0);
    const s = v128.load_splat<f32>(rstd);
    sumG = 0;
    sumGx = 0;
    if (mean) addRow(true, whole, x, weight, dy, c, s, partWeight, partBias);
    else addRow(false, whole, x, weight, dy, c, s, partWeight, 0);
    if (left > 0) {
      copyRest(left, x + done, rest);
      copyRest(left, dy + done, rest + 32);
      if (mean) addRow(true, 4, rest, rest + 16, rest + 32, c, s, partWeight + done, partBias + done);
      else addRow(false, 4, rest, rest + 16, rest + 32, c, s, partWeight + done, 0);
    }
    const meanG = f32x4.splat(<f32>(sumG / <f64>n)), meanGx = f32x4.splat(<f32>(-sumGx / <f64>n));
    slopeRow(whole, x, weight, dy, dx, c, s, meanG, meanGx);
    if (left > 0) {
      slopeRow(4, rest, rest + 16, rest + 32, rest + 48, c, s, meanG, meanGx);
      copyRest(left, rest + 48, dx + done);
    }
    if ((r + 1) % NORM_ROW_RUN == 0 || r + 1 == rows) {
      flushTotals(n, partWeight, totalWeight);
      if (mean) flushTotals(n, partBias, totalBias);
    }
  }
}
