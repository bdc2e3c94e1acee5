/**
 * Sums that stay exact to float32's last bits however long: short runs in float32 lanes, their totals in float64.
 */
import { scratch } from './thread';
import { loadRest, loadUpTo4, madd, sumLanes } from './vector';

/** Elements per run of a row: 16 lanes, 16 additions each. */
const RUN: i32 = 256;
/** Rows per run of a column: 8 additions of four rows each. */
const ROW_RUN: i32 = 32;
/** Columns added up side by side: their sums stay in the cache while the rows stream by. */
const COLUMNS: i32 = 2048;
/** Elements of a long row whose sum is one number, so that its stretches may be added apart; a multiple of RUN. */
export const STRETCH: i32 = 65536;

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

/** Σ x of stretch i of a row of n. */
@inline
function stretchSum(i: i32, n: i32, x: usize): f64 {
  const from = i * STRETCH;
  return rowSum(min(STRETCH, n - from), x + (<usize>from << 2));
}

/** y [rows] = sums of the rows of x [rows, n]. */
export function sumRows(rows: i32, n: i32, x: usize, y: usize): void {
  for (let r = 0; r < rows; r++, x += <usize>n << 2, y += 4) {
    let total: f64 = 0;
    for (let i = 0; i * STRETCH < n; i++) total += stretchSum(i, n, x);
    store<f32>(y, <f32>total);
  }
}

/** sums (float64) of the stretches `from` to `to` (exclusive) of one row; `addPartials` makes of them what `sumRows` gives. */
export function sumStretches(from: i32, to: i32, n: i32, x: usize, sums: usize): void {
  for (let i = from; i < to; i++) store<f64>(sums + (<usize>i << 3), stretchSum(i, n, x));
}

/** y [n] = sums, in order, of `count` rows of float64 that are `row` bytes apart. */
export function addPartials(count: i32, n: i32, from: usize, row: usize, y: usize): void {
  for (let j = 0; j < n; j++, from += 8, y += 4) {
    let total: f64 = 0;
    for (let i = 0; i < count; i++) total += load<f64>(from + <usize>i * row);
    store<f32>(y, <f32>total);
  }
}

/** s + Σ of four rows. */
@inline
function fourRows(s: v128, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  return f32x4.add(s, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)));
}

/** sums [n] += x [4, n]. */
function addFourRows(n: i32, x: usize, row: usize, sums: usize): void {
  const x1 = x + row, x2 = x1 + row, x3 = x2 + row;
  const end = <usize>(n & ~3) << 2, left = n & 3;
  let at: usize = 0;
  for (; at < end; at += 16) {
    const s = v128.load(sums + at);
    v128.store(sums + at, fourRows(s, v128.load(x + at), v128.load(x1 + at), v128.load(x2 + at), v128.load(x3 + at)));
  }
  if (left == 0) return;
  const x0At = loadRest(x + at, left, 0.0), x1At = loadRest(x1 + at, left, 0.0);
  const x2At = loadRest(x2 + at, left, 0.0), x3At = loadRest(x3 + at, left, 0.0);
  v128.store(sums + at, fourRows(v128.load(sums + at), x0At, x1At, x2At, x3At));
}

function addOneRow(n: i32, x: usize, sums: usize): void {
  for (let left = n; left > 0; left -= 4, x += 16, sums += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), loadUpTo4(x, left, 0.0)));
  }
}

/** y [n] = sums of the columns of x [rows, n], rows `row` bytes apart. */
export function sumColumns(rows: i32, n: i32, x: usize, row: usize, y: usize): void {
  for (; n > 0; n -= COLUMNS, x += <usize>COLUMNS << 2, y += <usize>COLUMNS << 2) {
    const width = min(n, COLUMNS);
    const totals = scratch, sums = scratch + (<usize>COLUMNS << 3);
    memory.fill(totals, 0, <usize>COLUMNS * 12);
    let from = x;
    for (let r = 0; r < rows; r += ROW_RUN) {
      let more = min(ROW_RUN, rows - r);
      for (; more >= 4; more -= 4, from += row << 2) addFourRows(width, from, row, sums);
      for (; more > 0; more--, from += row) addOneRow(width, from, sums);
      flushTotals(width, sums, totals);
    }
    addPartials(1, width, totals, 0, y);
  }
}

/** totals (float64) += from (float32), which becomes zero again. */
export function flushTotals(n: i32, from: usize, totals: usize): void {
  for (let i = 0; i < n; i++, from += 4, totals += 8) {
    store<f64>(totals, load<f64>(totals) + <f64>load<f32>(from));
    store<f32>(from, 0);
  }
}
