/**
 * C = A·B in float32, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 * A [M, K] is packed in panels of 4 rows and B [K, N] in panels of 8 columns, block by block, so that the inner loop
 * reads both one element after the other whatever their strides: a transposed operand costs nothing extra. One 4×8
 * tile of C stays in eight registers while it goes through up to KC products. Panels at the edge are filled with zeros.
 *
 * Products with few rows read B once, unpacked, as fast as memory gives it.
 *
 * All strides are in bytes. The thread's scratch holds the packed blocks: MC·KC + KC·NC floats, then one tile.
 */
import { gemvColumns, gemvRows } from './gemv';
import { scratch } from './thread';
import { madd } from './vector';

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
): void {
  if (m <= FEW_ROWS && aCol == 4 && bRow == 4) gemvRows(m, n, k, a, aRow, b, bCol, c, cRow);
  else if (m <= FEW_ROWS && bCol == 4) gemvColumns(m, n, k, a, aRow, aCol, b, bRow, c, cRow);
  else if (n == 1 && cRow == 4 && aCol == 4 && bRow == 4) {
    // A · v is vᵀ · Aᵀ, with A stored as the transpose that gemvRows wants.
    gemvRows(1, m, k, b, 0, a, aRow, c, 0);
  } else gemm(m, n, k, a, aRow, aCol, b, bRow, bCol, c, cRow, false);
}

/** C = (C +) A · B with packed panels. */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, aRow: usize, aCol: usize,
  b: usize, bRow: usize, bCol: usize,
  c: usize, cRow: usize,
  add: bool,
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

@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/** Four elements from each of four rows, `row` apart, written as four columns, `step` apart. */
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
