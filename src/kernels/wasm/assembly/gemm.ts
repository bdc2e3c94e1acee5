/**
 * C = A·B in float32, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 * A [M, K] is packed in panels of 4 rows and B [K, N] in panels of 8 columns, block by block, so that the inner loop
 * reads both one element after the other whatever their strides: a transposed operand costs nothing extra. One 4×8
 * tile of C stays in eight registers while it goes through up to KC products. Panels at the edge are filled with zeros.
 *
 * Products with few rows read B once, unpacked, as fast as memory gives it.
 *
 * All strides are in bytes. `scratch` holds the packed blocks: MC·KC + KC·NC floats, then one tile.
 */
import { madd, sumLanes } from './vector';

const MR: i32 = 4;
const NR: i32 = 8;
const KC: i32 = 256;
const MC: i32 = 128;
const NC: i32 = 512;
const PACKED_B: usize = <usize>(MC * KC * 4);
const EDGE_TILE: usize = PACKED_B + <usize>(KC * NC * 4);

/** Up to this many rows of A, rows of B that lie dense are read where they are: packing them would not pay. */
const DIRECT_M: i32 = 16;

/** Up to this many rows, packing B would take longer than the product. */
const FEW_ROWS: i32 = 4;

/** C [m, n] = A [m, k] · B [k, n], by the way that suits sizes and strides; C has dense rows. */
export function matmul(
  m: i32, n: i32, k: i32,
  a: usize, aRow: usize, aCol: usize,
  b: usize, bRow: usize, bCol: usize,
  c: usize, cRow: usize,
  scratch: usize,
): void {
  if (m <= FEW_ROWS && aCol == 4 && bRow == 4) gemvRows(m, n, k, a, aRow, b, bCol, c, cRow);
  else if (m <= FEW_ROWS && bCol == 4) gemvColumns(m, n, k, a, aRow, aCol, b, bRow, c, cRow);
  else if (n == 1 && cRow == 4 && aCol == 4 && bRow == 4) {
    // A · v is vᵀ · Aᵀ, with A stored as the transpose that gemvRows wants.
    gemvRows(1, m, k, b, 0, a, aRow, c, 0);
  } else gemm(m, n, k, a, aRow, aCol, b, bRow, bCol, c, cRow, scratch, false);
}

/** C = (C +) A · B with packed panels. */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, aRow: usize, aCol: usize,
  b: usize, bRow: usize, bCol: usize,
  c: usize, cRow: usize,
  scratch: usize, add: bool,
): void {
  if (k == 0) {
    if (add) return;
    for (let i = 0; i < m; i++) memory.fill(c + <usize>i * cRow, 0, <usize>n << 2);
    return;
  }
  const packedB = scratch + PACKED_B;
  const direct = bCol == 4 && m <= DIRECT_M;
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      const sum = add || pc > 0;
      const bBlock = b + <usize>pc * bRow + <usize>jc * bCol;
      if (!direct) packB(kc, nc, bBlock, bRow, bCol, packedB);
      else if (nc & (NR - 1)) {
        const j = nc & ~(NR - 1);
        packB(kc, nc - j, bBlock + (<usize>j << 2), bRow, bCol, packedB);
      }
      for (let ic = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic);
        packA(mc, kc, a + <usize>ic * aRow + <usize>pc * aCol, aRow, aCol, scratch);
        const cBlock = c + <usize>ic * cRow + (<usize>jc << 2);
        for (let j = 0; j < nc; j += NR) {
          const inPlace = direct && j + NR <= nc;
          const panel = inPlace
            ? bBlock + (<usize>j << 2)
            : packedB + (direct ? 0 : <usize>(j * kc) << 2);
          const step: usize = inPlace ? bRow : <usize>(NR << 2);
          for (let i = 0; i < mc; i += MR) {
            const rows = min(MR, mc - i);
            const columns = min(NR, nc - j);
            const to = cBlock + <usize>i * cRow + (<usize>j << 2);
            const aPanel = scratch + (<usize>(i * kc) << 2);
            if (rows == MR && columns == NR) tile(kc, aPanel, panel, step, to, cRow, sum);
            else {
              const edge = scratch + EDGE_TILE;
              tile(kc, aPanel, panel, step, edge, NR << 2, false);
              copyTile(rows, columns, edge, to, cRow, sum);
            }
          }
        }
      }
    }
  }
}

/**
 * The 4×8 tile: C = (C +) panel of A · panel of B, k ≥ 1. `bStep` is the distance of two rows of B. One step per turn of
 * the loop: written out twice, the engine chains the two multiply-adds of each register and the speed halves.
 */
function tile(k: i32, a: usize, b: usize, bStep: usize, c: usize, cRow: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = a + (<usize>k << 4);
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
    b += bStep;
  } while (a < end);
  if (accumulate) {
    c00 = f32x4.add(c00, v128.load(c));
    c01 = f32x4.add(c01, v128.load(c, 16));
    c10 = f32x4.add(c10, v128.load(c + cRow));
    c11 = f32x4.add(c11, v128.load(c + cRow, 16));
    c20 = f32x4.add(c20, v128.load(c + 2 * cRow));
    c21 = f32x4.add(c21, v128.load(c + 2 * cRow, 16));
    c30 = f32x4.add(c30, v128.load(c + 3 * cRow));
    c31 = f32x4.add(c31, v128.load(c + 3 * cRow, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c + cRow, c10);
  v128.store(c + cRow, c11, 16);
  v128.store(c + 2 * cRow, c20);
  v128.store(c + 2 * cRow, c21, 16);
  v128.store(c + 3 * cRow, c30);
  v128.store(c + 3 * cRow, c31, 16);
}

function copyTile(rows: i32, columns: i32, from: usize, to: usize, toRow: usize, accumulate: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = to + (<usize>j << 2);
      const v = load<f32>(from + (<usize>j << 2));
      store<f32>(at, accumulate ? load<f32>(at) + v : v);
    }
    from += <usize>(NR << 2);
    to += toRow;
  }
}

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}
// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/** Four elements from each of four rows, `row` apart, written as four columns, `step` apart. */
// @ts-ignore: decorator
@inline
export function transpose4(from: usize, row: usize, to: usize, step: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + row);
  const r2 = v128.load(from + 2 * row), r3 = v128.load(from + 3 * row);
  const l02 = low(r0, r2), l13 = low(r1, r3), h02 = high(r0, r2), h13 = high(r1, r3);
  v128.store(to, low(l02, l13));
  v128.store(to + step, high(l02, l13));
  v128.store(to + 2 * step, low(h02, h13));
  v128.store(to + 3 * step, high(h02, h13));
}

function packA(m: i32, k: i32, a: usize, row: usize, col: usize, to: usize): void {
  for (let i = 0; i < m; i += MR) {
    const rows = min(MR, m - i);
    let from = a + <usize>i * row;
    let p = 0;
    if (rows == MR) {
      if (col == 4) {
        for (; p + 4 <= k; p += 4, from += 16, to += 64) transpose4(from, row, to, 16);
      } else if (row == 4) {
        for (; p < k; p++, from += col, to += 16) v128.store(to, v128.load(from));
      }
      for (; p < k; p++, from += col, to += 16) {
        store<f32>(to, load<f32>(from));
        store<f32>(to, load<f32>(from + row), 4);
        store<f32>(to, load<f32>(from + 2 * row), 8);
        store<f32>(to, load<f32>(from + 3 * row), 12);
      }
    } else {
      for (; p < k; p++, from += col, to += 16) {
        store<f32>(to, load<f32>(from));
        store<f32>(to, rows > 1 ? load<f32>(from + row) : 0, 4);
        store<f32>(to, rows > 2 ? load<f32>(from + 2 * row) : 0, 8);
        store<f32>(to, 0, 12);
      }
    }
  }
}

function packB(k: i32, n: i32, b: usize, row: usize, col: usize, to: usize): void {
  for (let j = 0; j < n; j += NR) {
    const columns = min(NR, n - j);
    let from = b + <usize>j * col;
    let p = 0;
    if (columns == NR) {
      if (col == 4) {
        for (; p < k; p++, from += row, to += 32) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        }
      } else if (row == 4) {
        for (; p + 4 <= k; p += 4, from += 16, to += 128) {
          transpose4(from, col, to, 32);
          transpose4(from + 4 * col, col, to + 16, 32);
        }
      }
    }
    for (; p < k; p++, from += row, to += 32) {
      let at = from;
      for (let q = 0; q < NR; q++) {
        if (q < columns) {
          store<f32>(to + (<usize>q << 2), load<f32>(at));
          at += col;
        } else store<f32>(to + (<usize>q << 2), 0);
      }
    }
  }
}

/**
 * A few rows of A times the transpose of W [N, K] with dense rows: C[i, j] = A[i] · W[j]. A and W have dense rows.
 * Each row of W comes from memory once, four (for one row of A) or two (for up to four) at a time.
 */
function gemvRows(
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

// @ts-ignore: decorator
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
function gemvColumns(
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
