/**
 * Sums that stay exact to float32's last bits however long: short runs in float32 lanes, their totals in float64.
 */
import { madd, sumLanes } from './vector';

/** Elements per run of a row: 16 lanes, 32 additions each. */
const RUN: i32 = 512;
/** Rows per run of a column. */
const ROW_RUN: i32 = 64;

/** Σ x. */
export function rowSum(n: i32, x: usize): f64 {
  let total: f64 = 0;
  while (n >= 16) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    const run = min(RUN, n) & ~15;
    for (const end = x + (<usize>run << 2); x < end; x += 64) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
    }
    total += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    n -= run;
  }
  for (; n > 0; n--, x += 4) total += <f64>load<f32>(x);
  return total;
}

/** Σ a·b. */
export function rowDot(n: i32, a: usize, b: usize): f64 {
  let total: f64 = 0;
  while (n >= 16) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    const run = min(RUN, n) & ~15;
    for (const end = a + (<usize>run << 2); a < end; a += 64, b += 64) {
      s0 = madd(v128.load(a), v128.load(b), s0);
      s1 = madd(v128.load(a, 16), v128.load(b, 16), s1);
      s2 = madd(v128.load(a, 32), v128.load(b, 32), s2);
      s3 = madd(v128.load(a, 48), v128.load(b, 48), s3);
    }
    total += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    n -= run;
  }
  for (; n > 0; n--, a += 4, b += 4) total += <f64>load<f32>(a) * <f64>load<f32>(b);
  return total;
}

/** Σ (x − mean)². */
export function rowSquaredDeviation(n: i32, x: usize, mean: f64): f64 {
  let total: f64 = 0;
  const centre = f32x4.splat(<f32>mean);
  while (n >= 16) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    const run = min(RUN, n) & ~15;
    for (const end = x + (<usize>run << 2); x < end; x += 64) {
      const d0 = f32x4.sub(v128.load(x), centre), d1 = f32x4.sub(v128.load(x, 16), centre);
      const d2 = f32x4.sub(v128.load(x, 32), centre), d3 = f32x4.sub(v128.load(x, 48), centre);
      s0 = madd(d0, d0, s0);
      s1 = madd(d1, d1, s1);
      s2 = madd(d2, d2, s2);
      s3 = madd(d3, d3, s3);
    }
    total += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    n -= run;
  }
  for (; n > 0; n--, x += 4) {
    const d = <f64>load<f32>(x) - mean;
    total += d * d;
  }
  return total;
}

/** y [rows] = sums of the rows of x [rows, n]. */
export function sumRows(rows: i32, n: i32, x: usize, y: usize): void {
  for (let r = 0; r < rows; r++, x += <usize>n << 2, y += 4) store<f32>(y, <f32>rowSum(n, x));
}

@inline
function widenLow(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}
@inline
function widenHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

/** y [n] = sums of the columns of x [rows, n], eight columns at a time. */
export function sumColumns(rows: i32, n: i32, x: usize, y: usize): void {
  const row = <usize>n << 2;
  let j = 0;
  for (; j + 8 <= n; j += 8, y += 32) {
    let t0 = f64x2.splat(0), t1 = t0, t2 = t0, t3 = t0;
    let from = x + (<usize>j << 2);
    for (let r = 0; r < rows; r += ROW_RUN) {
      let s0 = f32x4.splat(0), s1 = s0;
      for (let stop = min(rows, r + ROW_RUN) - r; stop > 0; stop--, from += row) {
        s0 = f32x4.add(s0, v128.load(from));
        s1 = f32x4.add(s1, v128.load(from, 16));
      }
      t0 = f64x2.add(t0, widenLow(s0));
      t1 = f64x2.add(t1, widenHigh(s0));
      t2 = f64x2.add(t2, widenLow(s1));
      t3 = f64x2.add(t3, widenHigh(s1));
    }
    v128.store(y, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t0), f32x4.demote_f64x2_zero(t1), 0, 2));
    v128.store(y, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t2), f32x4.demote_f64x2_zero(t3), 0, 2), 16);
  }
  for (; j < n; j++, y += 4) {
    let total: f64 = 0;
    let from = x + (<usize>j << 2);
    for (let r = 0; r < rows; r++, from += row) total += <f64>load<f32>(from);
    store<f32>(y, <f32>total);
  }
}

/** totals (float64) += from (float32), which becomes zero again. */
export function flushTotals(n: i32, from: usize, totals: usize): void {
  for (let i = 0; i < n; i++, from += 4, totals += 8) {
    store<f64>(totals, load<f64>(totals) + <f64>load<f32>(from));
    store<f32>(from, 0);
  }
}

export function roundTotals(n: i32, totals: usize, to: usize): void {
  for (let i = 0; i < n; i++, totals += 8, to += 4) store<f32>(to, <f32>load<f64>(totals));
}
