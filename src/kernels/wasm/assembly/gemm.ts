/**
 * C = A·B in float32, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 * A [M, K] is packed in panels of 4 rows and B [K, N] in panels of 8 columns, block by block, so that the inner loop
 * reads both one element after the other whatever their strides: a transposed operand costs nothing extra. A panel of B
 * stays in the first-level cache while the panels of a block of A go past it; both blocks stay in the second.
 *
 * Every element of C is summed in the same order wherever it lies: runs of RUN terms from the first to the last, then the
 * runs. So parts of C computed by calls of their own have the bits they have when C is computed at once.
 *
 * All strides are in bytes. The thread's scratch holds the packed blocks: MC·KC + KC·NC floats, then one tile.
 */
import { gemvColumns, gemvRows, MOST_GEMV_COLUMNS, MOST_GEMV_ROWS } from './gemv';
import { pack } from './pack';
import { REST_BYTES, scratch } from './thread';
import { MR, NR, tile } from './tile';

const KC: i32 = 256;
/** Rows of A and columns of B that are packed at a time: work that is divided there packs nothing more often. */
export const MC: i32 = 128;
export const NC: i32 = 512;
/**
 * Terms summed in one chain before they join the rest of the sum. The rounding errors of a chain of r terms add up to
 * some r/√2 units of a term, so k terms in runs of r are off by √(k·r/2): shorter runs are more precise, and 128 costs
 * one percent of the time.
 */
const RUN: i32 = 128;
const PACKED_B: usize = <usize>(MC * KC * 4);
const EDGE_TILE: usize = PACKED_B + <usize>(KC * NC * 4);
/** Working memory of a thread: nothing else wants as much. */
export const WORK_BYTES: i32 = <i32>(REST_BYTES + EDGE_TILE + <usize>(MR * NR * 4));

/** Terms per block and columns packed at a time where A has few rows. */
const SHALLOW_KC: i32 = 64;
const SHALLOW_NC: i32 = 16;

/** C [m, n] = A [m, k] · B [k, n] on one thread, by the way that suits sizes and strides; C has dense rows. */
export function matmul(
  m: i32, n: i32, k: i32,
  a: usize, aRow: usize, aCol: usize,
  b: usize, bRow: usize, bCol: usize,
  c: usize, cRow: usize,
): void {
  if (m <= MOST_GEMV_ROWS && aCol == 4 && bRow == 4) gemvRows(m, n, k, a, aRow, b, bCol, c, cRow);
  else if (m <= MOST_GEMV_COLUMNS && bCol == 4) gemvColumns(m, n, k, a, aRow, aCol, b, bRow, c, cRow);
  else gemm(m, n, k, a, aRow, aCol, b, bRow, bCol, c, cRow, false);
}

/** C = (C +) A · B. */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, aRow: usize, aCol: usize,
  b: usize, bRow: usize, bCol: usize,
  c: usize, cRow: usize,
  add: bool,
): void {
  if (k == 0 && !add) clear(m, n, c, cRow);
  const packedB = scratch + PACKED_B;
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      packB(nc, kc, b + <usize>pc * bRow + <usize>jc * bCol, bCol, bRow, packedB);
      for (let ic = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic);
        packA(mc, kc, a + <usize>ic * aRow + <usize>pc * aCol, aRow, aCol, scratch);
        tiles(mc, nc, kc, scratch, packedB, c + <usize>ic * cRow + (<usize>jc << 2), cRow, add || pc > 0);
      }
    }
  }
}

/**
 * C = A · B with few rows (m ≤ MC) and dense rows of B. Reading B takes longest, so its rows are read from left to
 * right, not more of them at a time than the memory fetches ahead, and each piece is multiplied as soon as it is packed.
 */
export function gemmShallow(
  m: i32, n: i32, k: i32,
  a: usize, aRow: usize, aCol: usize,
  b: usize, bRow: usize,
  c: usize, cRow: usize,
): void {
  if (k == 0) clear(m, n, c, cRow);
  const packedB = scratch + PACKED_B;
  for (let pc = 0; pc < k; pc += SHALLOW_KC) {
    const kc = min(SHALLOW_KC, k - pc);
    packA(m, kc, a + <usize>pc * aCol, aRow, aCol, scratch);
    for (let jc = 0; jc < n; jc += SHALLOW_NC) {
      const nc = min(SHALLOW_NC, n - jc);
      packB(nc, kc, b + <usize>pc * bRow + (<usize>jc << 2), 4, bRow, packedB);
      tiles(m, nc, kc, scratch, packedB, c + (<usize>jc << 2), cRow, pc > 0);
    }
  }
}

function clear(m: i32, n: i32, c: usize, cRow: usize): void {
  for (let i = 0; i < m; i++) memory.fill(c + <usize>i * cRow, 0, <usize>n << 2);
}

/** Functions of their own, so that the width of the panels is a constant in each. */
function packA(lines: i32, k: i32, from: usize, across: usize, along: usize, to: usize): void {
  pack(MR, lines, k, from, across, along, to);
}
function packB(lines: i32, k: i32, from: usize, across: usize, along: usize, to: usize): void {
  pack(NR, lines, k, from, across, along, to);
}

/** One tile of C in runs of its sums. */
@inline
function runs(k: i32, a: usize, b: usize, c: usize, cRow: usize, accumulate: bool): void {
  for (let p = 0; p < k; p += RUN) {
    tile(min(RUN, k - p), a + (<usize>(p * MR) << 2), b + (<usize>(p * NR) << 2), c, cRow, accumulate || p > 0);
  }
}

/** A block of C from packed blocks of A and B. */
function tiles(m: i32, n: i32, k: i32, a: usize, b: usize, c: usize, cRow: usize, accumulate: bool): void {
  const edge = scratch + EDGE_TILE;
  for (let j = 0; j < n; j += NR) {
    const columns = min(NR, n - j);
    let from = a;
    let to = c + (<usize>j << 2);
    for (let i = 0; i < m; i += MR) {
      const rows = min(MR, m - i);
      if (rows == MR && columns == NR) runs(k, from, b, to, cRow, accumulate);
      else {
        if (accumulate) copyTile(rows, columns, to, cRow, edge, NR << 2);
        runs(k, from, b, edge, NR << 2, accumulate);
        copyTile(rows, columns, edge, NR << 2, to, cRow);
      }
      from += <usize>(MR * k) << 2;
      to += <usize>MR * cRow;
    }
    b += <usize>(NR * k) << 2;
  }
}

function copyTile(rows: i32, columns: i32, from: usize, fromRow: usize, to: usize, toRow: usize): void {
  for (let i = 0; i < rows; i++, from += fromRow, to += toRow) {
    for (let j = 0; j < columns; j++) store<u32>(to + (<usize>j << 2), load<u32>(from + (<usize>j << 2)));
  }
}
