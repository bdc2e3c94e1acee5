/** The greatest number along an axis and where it stands first; a NaN counts as the greatest. */
import { rowMax } from './softmax';
import { loadUpTo4, storeUpTo4 } from './vector';

/** y [rows] = greatest elements of the rows of x [rows, n]; −∞ of none. */
export function maxRows(rows: i32, n: i32, x: usize, y: usize): void {
  for (let r = 0; r < rows; r++, x += <usize>n << 2, y += 4) store<f32>(y, rowMax(n, x));
}

/** y [n] = greatest elements of the columns of x [rows, n], rows `row` bytes apart. */
export function maxColumns(rows: i32, n: i32, x: usize, row: usize, y: usize): void {
  for (let left = n, to = y; left > 0; left -= 4, to += 16) storeUpTo4(to, f32x4.splat(-Infinity), left);
  for (let r = 0; r < rows; r++, x += row) {
    let from = x, to = y;
    for (const end = y + (<usize>(n & ~3) << 2); to < end; from += 16, to += 16) {
      v128.store(to, f32x4.max(v128.load(to), v128.load(from)));
    }
    const left = n & 3;
    if (left > 0) storeUpTo4(to, f32x4.max(loadUpTo4(to, left, 0.0), loadUpTo4(from, left, 0.0)), left);
  }
}

/** Position of the first element that equals `most`, or of the first NaN if `most` is one; there is such an element. */
function find(x: usize, n: i32, most: f32): i32 {
  const sought = f32x4.splat(most);
  const isNaN = most != most;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (<usize>i << 2));
    const mask = i32x4.bitmask(isNaN ? f32x4.ne(v, v) : f32x4.eq(v, sought));
    if (mask) return i + ctz(mask);
  }
  for (; i < n; i++) {
    const v = load<f32>(x + (<usize>i << 2));
    if (isNaN ? v != v : v == most) return i;
  }
  return -1;
}

/** y [rows] (int32) = position of the first greatest element of each row of x [rows, n]; −1 where n is 0. */
export function argmaxRows(rows: i32, n: i32, x: usize, y: usize): void {
  for (let r = 0; r < rows; r++, x += <usize>n << 2, y += 4) store<i32>(y, find(x, n, rowMax(n, x)));
}
