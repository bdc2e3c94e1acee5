/**
 * Matrix products of operands that lie in panels, tile after tile without edges. A panel of W rows holds element
 * (row, p) at p·W + row, p being what the product sums over; rows and columns that are not there are zeros.
 *
 * A has panels of four rows, B panels of eight, and a tile of C is four rows of eight floats, one behind the other: as
 * the rows of C follow each other, C is itself a panel of eight, ready to be B of the next product.
 */
import { transpose4 } from './pack';
import { madd } from './vector';

/** Rows in a panel of A, and in a panel of B. */
export const ROWS: i32 = 4;
export const LANES: i32 = 8;
/** Bytes of one p in a panel of eight, and of a tile. */
export const LANE_BYTES: usize = 32;
export const TILE_BYTES: usize = 128;

/** n rounded up to a multiple of `to`, a power of two. */
@inline
export function roundUp(n: i32, to: i32): i32 {
  return (n + to - 1) & -to;
}

/** Writes up to four rows of x as four of the W = `step`/4 lanes of a panel; below four, zeros stand for the others. */
function packFour(rows: i32, n: i32, padded: i32, x: usize, row: usize, col: usize, to: usize, step: usize): void {
  let p = 0;
  if (rows >= 4) {
    if (col == 4) {
      for (; p + 4 <= n; p += 4, x += 16, to += 4 * step) transpose4(x, row, to, step);
    } else if (row == 4) {
      for (; p < n; p++, x += col, to += step) v128.store(to, v128.load(x));
    }
  }
  for (; p < n; p++, x += col, to += step) {
    store<f32>(to, rows > 0 ? load<f32>(x) : 0);
    store<f32>(to, rows > 1 ? load<f32>(x + row) : 0, 4);
    store<f32>(to, rows > 2 ? load<f32>(x + 2 * row) : 0, 8);
    store<f32>(to, rows > 3 ? load<f32>(x + 3 * row) : 0, 12);
  }
  for (; p < padded; p++, to += step) v128.store(to, f32x4.splat(0));
}

/** x [rows, n] with strides `row` and `col` as panels of W (4 or 8) rows, whose n is filled up to `padded`. */
export function pack(W: i32, rows: i32, n: i32, padded: i32, x: usize, row: usize, col: usize, to: usize): void {
  const step = <usize>W << 2;
  for (let i = 0; i < rows; i += W, to += <usize>padded * step) {
    packFour(rows - i, n, padded, x + <usize>i * row, row, col, to, step);
    if (W == LANES) packFour(rows - i - 4, n, padded, x + <usize>(i + 4) * row, row, col, to + 16, step);
  }
}

/**
 * One panel of eight, [n, 8], written as eight rows of `toRow` bytes, of which there are `rows`; lane r is multiplied by
 * float r at `factors`.
 */
export function unpack(rows: i32, n: i32, from: usize, factors: usize, to: usize, toRow: usize): void {
  for (let h = 0; h < rows; h += 4, from += 16, factors += 16, to += 4 * toRow) {
    const by = v128.load(factors);
    for (let p = 0, at = from; p < n; p++, at += LANE_BYTES) v128.store(at, f32x4.mul(v128.load(at), by));
    let p = 0;
    if (h + 4 <= rows) {
      for (; p + 4 <= n; p += 4) transpose4(from + <usize>p * LANE_BYTES, LANE_BYTES, to + (<usize>p << 2), toRow);
    }
    for (; p < n; p++) {
      const at = from + <usize>p * LANE_BYTES, put = to + (<usize>p << 2);
      for (let r = 0; r < min(4, rows - h); r++) store<f32>(put + <usize>r * toRow, load<f32>(at + (<usize>r << 2)));
    }
  }
}

@inline
function put(c: usize, low: v128, high: v128, add: bool): void {
  v128.store(c, add ? f32x4.add(v128.load(c), low) : low);
  v128.store(c, add ? f32x4.add(v128.load(c, 16), high) : high, 16);
}

/** C = (C +) A · B of one panel each, n ≥ 1. */
export function tile(n: i32, a: usize, b: usize, c: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = a + (<usize>n << 4);
  let x: v128;
  do {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    x = v128.load_splat<f32>(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load_splat<f32>(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load_splat<f32>(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    a += 16;
    b += 32;
  } while (a < end);
  put(c, c00, c01, add);
  put(c + 32, c10, c11, add);
  put(c + 64, c20, c21, add);
  put(c + 96, c30, c31, add);
}

/**
 * C += Aᵀ · B, A being `count` ≥ 1 panels of eight, `panel` bytes apart, of which four p are the rows here; the product
 * sums over their lanes, eight at a time.
 */
export function tileOverLanes(count: i32, a: usize, panel: usize, b: usize, c: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let x: v128;
  for (; count > 0; count--, a += panel - LANE_BYTES) {
    const end = a + LANE_BYTES;
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      x = v128.load_splat<f32>(a);
      c00 = madd(x, b0, c00);
      c01 = madd(x, b1, c01);
      x = v128.load_splat<f32>(a, 32);
      c10 = madd(x, b0, c10);
      c11 = madd(x, b1, c11);
      x = v128.load_splat<f32>(a, 64);
      c20 = madd(x, b0, c20);
      c21 = madd(x, b1, c21);
      x = v128.load_splat<f32>(a, 96);
      c30 = madd(x, b0, c30);
      c31 = madd(x, b1, c31);
      a += 4;
      b += 32;
    } while (a < end);
  }
  put(c, c00, c01, true);
  put(c + 32, c10, c11, true);
  put(c + 64, c20, c21, true);
  put(c + 96, c30, c31, true);
}
