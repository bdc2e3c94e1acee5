/**
 * Products of a few rows: bound by reading the matrix, so it is read once, in the order it lies in, and not packed.
 *
 * Every element of C goes through the same operations in the same order wherever it lies, so columns of C computed by
 * calls of their own have the bits they have when C is computed at once. All strides are in bytes.
 */
import { scratch } from './thread';
import { loadRest, loadUpTo4, madd, storeUpTo4, sumLanes } from './vector';

/** Up to this many rows, reading B where it lies beats packing it. */
export const MOST_GEMV_ROWS: i32 = 4;
export const MOST_GEMV_COLUMNS: i32 = 3;

/** Terms summed in one register before they are added to the others: 2 KiB of each row, which the first cache keeps. */
const DEPTH: i32 = 512;

/** Bytes of four registers of sums. */
const SUMS: usize = 64;

/**
 * C [m, n] = A [m, k] · B [k, n], m ≤ MOST_GEMV_ROWS; rows of A and C and columns of B are dense. As B is Wᵀ, its columns are
 * called rows of W: C[i, j] = A[i] · W[j]. Four of them are read side by side, a quarter of W apart, so that each of the four
 * streams goes on where it was when a row ends: streams that jump after every row are fetched ahead less well.
 */
export function gemvRows(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, b: usize, bCol: usize, c: usize, cRow: usize,
): void {
  const quarter = n >> 2;
  for (let j = 0; j < quarter; j++) dots(m, k, a, aRow, b, bCol, j, j + quarter, j + 2 * quarter, j + 3 * quarter, c, cRow);
  const last = n - 1;
  const rest = quarter << 2;
  // Where fewer than four rows are left, the last one is taken more than once.
  if (rest < n) dots(m, k, a, aRow, b, bCol, rest, min(rest + 1, last), last, last, c, cRow);
}

@inline
function dots(
  m: i32, k: i32, a: usize, aRow: usize, w: usize, wRow: usize,
  j0: i32, j1: i32, j2: i32, j3: i32, c: usize, cRow: usize,
): void {
  memory.fill(scratch, 0, SUMS << 2);
  const w0 = w + <usize>j0 * wRow, w1 = w + <usize>j1 * wRow, w2 = w + <usize>j2 * wRow, w3 = w + <usize>j3 * wRow;
  for (let p = 0; p < k; p += DEPTH) {
    const depth = min(DEPTH, k - p);
    const at = <usize>p << 2;
    let from = a + at;
    let sums = scratch;
    let i = 0;
    for (; i + 2 <= m; i += 2, from += 2 * aRow, sums += 2 * SUMS) {
      fourByTwo(depth, w0 + at, w1 + at, w2 + at, w3 + at, from, from + aRow, sums);
    }
    if (i < m) fourByOne(depth, w0 + at, w1 + at, w2 + at, w3 + at, from, sums);
  }
  for (let i = 0, sums = scratch; i < m; i++, sums += SUMS, c += cRow) {
    store<f32>(c + (<usize>j0 << 2), <f32>sumLanes(v128.load(sums)));
    store<f32>(c + (<usize>j1 << 2), <f32>sumLanes(v128.load(sums, 16)));
    store<f32>(c + (<usize>j2 << 2), <f32>sumLanes(v128.load(sums, 32)));
    store<f32>(c + (<usize>j3 << 2), <f32>sumLanes(v128.load(sums, 48)));
  }
}

@inline
function addTo(sums: usize, v: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), v));
}

function fourByOne(k: i32, w0: usize, w1: usize, w2: usize, w3: usize, a: usize, sums: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let left = k >> 2; left > 0; left--, a += 16, w0 += 16, w1 += 16, w2 += 16, w3 += 16) {
    const x = v128.load(a);
    s0 = madd(x, v128.load(w0), s0);
    s1 = madd(x, v128.load(w1), s1);
    s2 = madd(x, v128.load(w2), s2);
    s3 = madd(x, v128.load(w3), s3);
  }
  const rest = k & 3;
  if (rest) {
    const x = loadRest(a, rest, 0);
    s0 = madd(x, loadRest(w0, rest, 0), s0);
    s1 = madd(x, loadRest(w1, rest, 0), s1);
    s2 = madd(x, loadRest(w2, rest, 0), s2);
    s3 = madd(x, loadRest(w3, rest, 0), s3);
  }
  addTo(sums, s0);
  addTo(sums + 16, s1);
  addTo(sums + 32, s2);
  addTo(sums + 48, s3);
}

/** Two rows of A, each as in `fourByOne`. */
function fourByTwo(k: i32, w0: usize, w1: usize, w2: usize, w3: usize, a: usize, b: usize, sums: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  for (let left = k >> 2; left > 0; left--, a += 16, b += 16, w0 += 16, w1 += 16, w2 += 16, w3 += 16) {
    const x = v128.load(a), y = v128.load(b);
    let v = v128.load(w0);
    s0 = madd(x, v, s0);
    t0 = madd(y, v, t0);
    v = v128.load(w1);
    s1 = madd(x, v, s1);
    t1 = madd(y, v, t1);
    v = v128.load(w2);
    s2 = madd(x, v, s2);
    t2 = madd(y, v, t2);
    v = v128.load(w3);
    s3 = madd(x, v, s3);
    t3 = madd(y, v, t3);
  }
  const rest = k & 3;
  if (rest) {
    const x = loadRest(a, rest, 0), y = loadRest(b, rest, 0);
    let v = loadRest(w0, rest, 0);
    s0 = madd(x, v, s0);
    t0 = madd(y, v, t0);
    v = loadRest(w1, rest, 0);
    s1 = madd(x, v, s1);
    t1 = madd(y, v, t1);
    v = loadRest(w2, rest, 0);
    s2 = madd(x, v, s2);
    t2 = madd(y, v, t2);
    v = loadRest(w3, rest, 0);
    s3 = madd(x, v, s3);
    t3 = madd(y, v, t3);
  }
  addTo(sums, s0);
  addTo(sums + 16, s1);
  addTo(sums + 32, s2);
  addTo(sums + 48, s3);
  addTo(sums + 64, t0);
  addTo(sums + 80, t1);
  addTo(sums + 96, t2);
  addTo(sums + 112, t3);
}

/**
 * A few rows of A times B [k, n] with dense rows. B is gone through eight rows at a time, each from left to right as it
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
            addRow(columns, v128.load_splat<f32>(ai + <usize>q * aCol), from + <usize>q * bRow, to);
          }
        }
      }
    }
  }
}

function addRow(n: i32, x: v128, from: usize, to: usize): void {
  for (let left = n; left > 0; left -= 4, from += 16, to += 16) {
    storeUpTo4(to, madd(x, loadUpTo4(from, left, 0), loadUpTo4(to, left, 0)), left);
  }
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
  const left = n & 3;
  if (left) {
    let s = f32x4.mul(x0, loadRest(b0 + at, left, 0));
    let t = f32x4.mul(x1, loadRest(b1 + at, left, 0));
    s = madd(x2, loadRest(b2 + at, left, 0), s);
    t = madd(x3, loadRest(b3 + at, left, 0), t);
    s = madd(x4, loadRest(b4 + at, left, 0), s);
    t = madd(x5, loadRest(b5 + at, left, 0), t);
    s = madd(x6, loadRest(b6 + at, left, 0), s);
    t = madd(x7, loadRest(b7 + at, left, 0), t);
    storeUpTo4(to + at, f32x4.add(loadRest(to + at, left, 0), f32x4.add(s, t)), left);
  }
}
