/**
 * Products of a few rows: bound by reading the matrix, so it is read once, in the order it lies in, and not packed. All
 * strides are in bytes.
 */
import { madd, sumLanes } from './vector';

/**
 * A few rows of A times the transpose of W [N, K] with dense rows: C[i, j] = A[i] · W[j]. A and W have dense rows.
 * Each row of W comes from memory once, four (for one row of A) or two (for up to four) at a time.
 */
export function gemvRows(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, w: usize, wRow: usize, c: usize, cRow: usize,
): void {
  for (let i = 0; i < m; i += 4) {
    const rows = min(4, m - i);
    const ai = a + <usize>i * aRow;
    const ci = c + <usize>i * cRow;
    if (rows == 1) dots1(n, k, ai, w, wRow, ci);
    else {
      // A row too many is computed again and written over itself.
      const a1 = ai + aRow, a2 = ai + <usize>min(2, rows - 1) * aRow, a3 = ai + <usize>min(3, rows - 1) * aRow;
      const c1 = ci + cRow, c2 = ci + <usize>min(2, rows - 1) * cRow, c3 = ci + <usize>min(3, rows - 1) * cRow;
      dots4(n, k, ai, a1, a2, a3, w, wRow, ci, c1, c2, c3);
    }
  }
}

@inline
function scalarDot(k: i32, from: i32, a: usize, w: usize): f64 {
  let sum: f64 = 0;
  for (let p = from; p < k; p++) sum += <f64>load<f32>(a + (<usize>p << 2)) * <f64>load<f32>(w + (<usize>p << 2));
  return sum;
}

function dots1(n: i32, k: i32, a: usize, w: usize, wRow: usize, c: usize): void {
  const whole = k & ~7;
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    const w1 = w + wRow, w2 = w1 + wRow, w3 = w2 + wRow;
    for (let at: usize = 0, end = <usize>whole << 2; at < end; at += 32) {
      const x = v128.load(a + at), y = v128.load(a + at, 16);
      s0 = madd(x, v128.load(w + at), s0);
      t0 = madd(y, v128.load(w + at, 16), t0);
      s1 = madd(x, v128.load(w1 + at), s1);
      t1 = madd(y, v128.load(w1 + at, 16), t1);
      s2 = madd(x, v128.load(w2 + at), s2);
      t2 = madd(y, v128.load(w2 + at, 16), t2);
      s3 = madd(x, v128.load(w3 + at), s3);
      t3 = madd(y, v128.load(w3 + at, 16), t3);
    }
    store<f32>(c, <f32>(sumLanes(f32x4.add(s0, t0)) + scalarDot(k, whole, a, w)));
    store<f32>(c, <f32>(sumLanes(f32x4.add(s1, t1)) + scalarDot(k, whole, a, w1)), 4);
    store<f32>(c, <f32>(sumLanes(f32x4.add(s2, t2)) + scalarDot(k, whole, a, w2)), 8);
    store<f32>(c, <f32>(sumLanes(f32x4.add(s3, t3)) + scalarDot(k, whole, a, w3)), 12);
    w += wRow << 2;
    c += 16;
  }
  for (; j < n; j++) {
    let s = f32x4.splat(0), t = s;
    for (let at: usize = 0, end = <usize>whole << 2; at < end; at += 32) {
      s = madd(v128.load(a + at), v128.load(w + at), s);
      t = madd(v128.load(a + at, 16), v128.load(w + at, 16), t);
    }
    store<f32>(c, <f32>(sumLanes(f32x4.add(s, t)) + scalarDot(k, whole, a, w)));
    w += wRow;
    c += 4;
  }
}

function dots4(
  n: i32, k: i32, a0: usize, a1: usize, a2: usize, a3: usize, w: usize, wRow: usize,
  c0: usize, c1: usize, c2: usize, c3: usize,
): void {
  const whole = k & ~3;
  for (let j = 0; j < n; j += 2) {
    // The last of an odd number of rows is taken twice.
    const next: usize = j + 1 < n ? wRow : 0;
    const to: usize = j + 1 < n ? 4 : 0;
    const v = w + next;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    for (let at: usize = 0, end = <usize>whole << 2; at < end; at += 16) {
      const x = v128.load(w + at), y = v128.load(v + at);
      let r = v128.load(a0 + at);
      s0 = madd(r, x, s0);
      t0 = madd(r, y, t0);
      r = v128.load(a1 + at);
      s1 = madd(r, x, s1);
      t1 = madd(r, y, t1);
      r = v128.load(a2 + at);
      s2 = madd(r, x, s2);
      t2 = madd(r, y, t2);
      r = v128.load(a3 + at);
      s3 = madd(r, x, s3);
      t3 = madd(r, y, t3);
    }
    store<f32>(c0, <f32>(sumLanes(s0) + scalarDot(k, whole, a0, w)));
    store<f32>(c1, <f32>(sumLanes(s1) + scalarDot(k, whole, a1, w)));
    store<f32>(c2, <f32>(sumLanes(s2) + scalarDot(k, whole, a2, w)));
    store<f32>(c3, <f32>(sumLanes(s3) + scalarDot(k, whole, a3, w)));
    store<f32>(c0 + to, <f32>(sumLanes(t0) + scalarDot(k, whole, a0, v)));
    store<f32>(c1 + to, <f32>(sumLanes(t1) + scalarDot(k, whole, a1, v)));
    store<f32>(c2 + to, <f32>(sumLanes(t2) + scalarDot(k, whole, a2, v)));
    store<f32>(c3 + to, <f32>(sumLanes(t3) + scalarDot(k, whole, a3, v)));
    w += wRow << 1;
    c0 += 8;
    c1 += 8;
    c2 += 8;
    c3 += 8;
  }
}

/**
 * A few rows of A times B [K, N] with dense rows. B is gone through eight rows at a time, each from left to right as it
 * lies in memory, and in pieces short enough that they are still in the cache for the next row of A.
 */
export function gemvColumns(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aCol: usize, b: usize, bRow: usize, c: usize, cRow: usize,
): void {
  const PIECE = 512;
  for (let i = 0; i < m; i++) memory.fill(c + <usize>i * cRow, 0, <usize>n << 2);
  for (let p = 0; p < k; p += 8) {
    const depth = min(8, k - p);
    const bBlock = b + <usize>p * bRow;
    for (let j = 0; j < n; j += PIECE) {
      const columns = min(PIECE, n - j);
      for (let i = 0; i < m; i++) {
        const ai = a + <usize>i * aRow + <usize>p * aCol;
        const to = c + <usize>i * cRow + (<usize>j << 2);
        const from = bBlock + (<usize>j << 2);
        if (depth == 8) addRows8(columns, ai, aCol, from, bRow, to);
        else {
          for (let q = 0; q < depth; q++) {
            addRow(columns, load<f32>(ai + <usize>q * aCol), from + <usize>q * bRow, to);
          }
        }
      }
    }
  }
}

function addRow(n: i32, x: f32, from: usize, to: usize): void {
  let j = 0;
  for (; j + 4 <= n; j += 4, from += 16, to += 16) {
    v128.store(to, madd(f32x4.splat(x), v128.load(from), v128.load(to)));
  }
  for (; j < n; j++, from += 4, to += 4) store<f32>(to, load<f32>(to) + x * load<f32>(from));
}

function addRows8(n: i32, a: usize, aCol: usize, b0: usize, row: usize, to: usize): void {
  const x0 = v128.load_splat<f32>(a), x1 = v128.load_splat<f32>(a + aCol);
  const x2 = v128.load_splat<f32>(a + 2 * aCol), x3 = v128.load_splat<f32>(a + 3 * aCol);
  const x4 = v128.load_splat<f32>(a + 4 * aCol), x5 = v128.load_splat<f32>(a + 5 * aCol);
  const x6 = v128.load_splat<f32>(a + 6 * aCol), x7 = v128.load_splat<f32>(a + 7 * aCol);
  const b1 = b0 + row, b2 = b1 + row, b3 = b2 + row, b4 = b3 + row, b5 = b4 + row, b6 = b5 + row, b7 = b6 + row;
  let at: usize = 0;
  for (const end = <usize>(n & ~3) << 2; at < end; at += 16) {
    let s = f32x4.mul(x0, v128.load(b0 + at));
    let t = f32x4.mul(x1, v128.load(b1 + at));
    s = madd(x2, v128.load(b2 + at), s);
    t = madd(x3, v128.load(b3 + at), t);
    s = madd(x4, v128.load(b4 + at), s);
    t = madd(x5, v128.load(b5 + at), t);
    s = madd(x6, v128.load(b6 + at), s);
    t = madd(x7, v128.load(b7 + at), t);
    v128.store(to + at, f32x4.add(v128.load(to + at), f32x4.add(s, t)));
  }
  for (const end = <usize>n << 2; at < end; at += 4) {
    let s = f32x4.extract_lane(x0, 0) * load<f32>(b0 + at) + f32x4.extract_lane(x1, 0) * load<f32>(b1 + at);
    let t = f32x4.extract_lane(x2, 0) * load<f32>(b2 + at) + f32x4.extract_lane(x3, 0) * load<f32>(b3 + at);
    s += f32x4.extract_lane(x4, 0) * load<f32>(b4 + at) + f32x4.extract_lane(x5, 0) * load<f32>(b5 + at);
    t += f32x4.extract_lane(x6, 0) * load<f32>(b6 + at) + f32x4.extract_lane(x7, 0) * load<f32>(b7 + at);
    store<f32>(to + at, load<f32>(to + at) + (s + t));
  }
}
