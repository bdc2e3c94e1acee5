/** Copies between strided arrays of four-byte elements, rows picked and added by index, and the rotary embedding. */
import { transpose4 } from './pack';
import { loadRest, madd, storeRest } from './vector';

function copyRow(n: i32, from: usize, to: usize): void {
  if (n >= 64) {
    memory.copy(to, from, <usize>n << 2);
    return;
  }
  for (; n >= 4; n -= 4, from += 16, to += 16) v128.store(to, v128.load(from));
  for (; n > 0; n--, from += 4, to += 4) store<u32>(to, load<u32>(from));
}

/** Side of the squares that planes are transposed by: four cache lines of each of 64 rows fit every level. */
const SQUARE: i32 = 64;

/**
 * A plane [n2, n3] whose columns are dense in `from` and whose rows are dense in `to`, square by square: of a whole plane,
 * cache and page table would lose each line before its next four elements are wanted.
 */
function copyTransposed(n2: i32, n3: i32, from: usize, s3: usize, to: usize, d2: usize): void {
  for (let i = 0; i < n2; i += SQUARE) {
    for (let j = 0; j < n3; j += SQUARE) {
      const rows = min(SQUARE, n2 - i), columns = min(SQUARE, n3 - j);
      copySquare(rows, columns, from + (<usize>i << 2) + <usize>j * s3, s3, to + <usize>i * d2 + (<usize>j << 2), d2);
    }
  }
}

function copySquare(n2: i32, n3: i32, from: usize, s3: usize, to: usize, d2: usize): void {
  for (let i = 0; i < n2; i += 4) {
    const source = from + (<usize>i << 2), target = to + <usize>i * d2;
    const rows = min(4, n2 - i);
    let j = 0;
    if (rows == 4) {
      for (; j + 4 <= n3; j += 4) transpose4(source + <usize>j * s3, s3, target + (<usize>j << 2), d2);
    }
    for (; j < n3; j++) {
      for (let q = 0; q < rows; q++) {
        const x = load<u32>(source + <usize>j * s3 + (<usize>q << 2));
        store<u32>(target + <usize>q * d2 + (<usize>j << 2), x);
      }
    }
  }
}

/** Shape [n0, n1, n2, n3] from strides s to strides d. Fast where the last axis is dense in `to`. */
export function copy(
  n0: i32, n1: i32, n2: i32, n3: i32,
  from: usize, s0: usize, s1: usize, s2: usize, s3: usize,
  to: usize, d0: usize, d1: usize, d2: usize, d3: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let source = from + <usize>i * s0 + <usize>j * s1;
      let target = to + <usize>i * d0 + <usize>j * d1;
      if (d3 == 4 && s3 != 4 && s2 == 4) {
        copyTransposed(n2, n3, source, s3, target, d2);
        continue;
      }
      for (let k = 0; k < n2; k++) {
        if (s3 == 4 && d3 == 4) copyRow(n3, source, target);
        else {
          let at = source;
          for (let l = 0, put = target; l < n3; l++, at += s3, put += d3) store<u32>(put, load<u32>(at));
        }
        source += s2;
        target += d2;
      }
    }
  }
}

/** Rows of n four-byte elements, `row` bytes apart, in the order of the index. */
export function gatherRows(count: i32, n: i32, x: usize, row: usize, index: usize, out: usize): void {
  for (let i = 0; i < count; i++, index += 4, out += <usize>n << 2) {
    copyRow(n, x + <usize>load<i32>(index) * row, out);
  }
}

/**
 * out[index[i]] += x[i] for n columns of rows that are `row` bytes apart in both. To divide the work, give each call a
 * range of columns, so that repeated indices add up in order.
 */
export function scatterAddRows(count: i32, n: i32, row: usize, x: usize, index: usize, out: usize): void {
  for (let i = 0; i < count; i++, index += 4, x += row) {
    let from = x, to = out + <usize>load<i32>(index) * row;
    let left = n;
    for (; left >= 4; left -= 4, from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    for (; left > 0; left--, from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
  }
}

/**
 * [x₀ cos − x₁ sin | x₀ sin + x₁ cos] of x [B, H, T, 2·half] with dense last axes; cos and sin [B, T, half] with
 * strides c and s; sign −1 turns the other way. y is dense. A range of
 * heads is a call with fewer of them and all addresses at its first.
 */
export function rotary(
  B: i32, H: i32, T: i32, half: i32,
  x: usize, xB: usize, xH: usize, xT: usize,
  cos: usize, cB: usize, cT: usize,
  sin: usize, sB: usize, sT: usize,
  sign: f32, y: usize,
): void {
  const width = <usize>half << 2;
  const whole = width & ~15;
  const left = half & 3;
  const turn = f32x4.splat(sign);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const from = x + <usize>b * xB + <usize>h * xH + <usize>t * xT;
        const cosRow = cos + <usize>b * cB + <usize>t * cT, sinRow = sin + <usize>b * sB + <usize>t * sT;
        let at: usize = 0;
        for (; at < whole; at += 16) {
          const x0 = v128.load(from + at), x1 = v128.load(from + width + at);
          const c = v128.load(cosRow + at), s = f32x4.mul(v128.load(sinRow + at), turn);
          v128.store(y + at, f32x4.sub(f32x4.mul(x0, c), f32x4.mul(x1, s)));
          v128.store(y + width + at, madd(x0, s, f32x4.mul(x1, c)));
        }
        if (left > 0) {
          const x0 = loadRest(from + at, left, 0.0), x1 = loadRest(from + width + at, left, 0.0);
          const c = loadRest(cosRow + at, left, 0.0), s = f32x4.mul(loadRest(sinRow + at, left, 0.0), turn);
          storeRest(y + at, f32x4.sub(f32x4.mul(x0, c), f32x4.mul(x1, s)), left);
          storeRest(y + width + at, madd(x0, s, f32x4.mul(x1, c)), left);
        }
        y += width << 1;
      }
    }
  }
}
