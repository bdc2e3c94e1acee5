/** Copies between strided arrays of four-byte elements, rows picked and added by index, and the rotary embedding. */
import { transpose4 } from './gemm';
import { loadUpTo4, madd, storeUpTo4 } from './vector';

function copyRow(n: i32, from: usize, to: usize): void {
  if (n >= 64) {
    memory.copy(to, from, <usize>n << 2);
    return;
  }
  for (; n >= 4; n -= 4, from += 16, to += 16) v128.store(to, v128.load(from));
  for (; n > 0; n--, from += 4, to += 4) store<u32>(to, load<u32>(from));
}

/** A plane [n2, n3] whose columns are dense in `from` and whose rows are dense in `to`. */
function copyTransposed(n2: i32, n3: i32, from: usize, s3: usize, to: usize, d2: usize): void {
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

/** out[index[i]] += x[i]. */
export function scatterAddRows(count: i32, n: i32, x: usize, index: usize, out: usize): void {
  for (let i = 0; i < count; i++, index += 4) {
    let to = out + ((<usize>load<i32>(index) * <usize>n) << 2);
    let left = n;
    for (; left >= 4; left -= 4, x += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(x)));
    for (; left > 0; left--, x += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(x));
  }
}

/**
 * [x₀ cos − x₁ sin | x₀ sin + x₁ cos] of x [B, H, T, 2·half] with dense last axes; cos and sin [B, T, half] with
 * strides c and s; sign −1 turns the other way. y is dense.
 */
export function rotary(
  B: i32, H: i32, T: i32, half: i32,
  x: usize, xB: usize, xH: usize, xT: usize,
  cos: usize, cB: usize, cT: usize,
  sin: usize, sB: usize, sT: usize,
  sign: f32, y: usize,
): void {
  const width = <usize>half << 2;
  const turn = f32x4.splat(sign);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let t = 0; t < T; t++) {
        const from = x + <usize>b * xB + <usize>h * xH + <usize>t * xT;
        const cosRow = cos + <usize>b * cB + <usize>t * cT, sinRow = sin + <usize>b * sB + <usize>t * sT;
        for (let left = half, at: usize = 0; left > 0; left -= 4, at += 16) {
          const x0 = loadUpTo4(from + at, left, 0.0), x1 = loadUpTo4(from + width + at, left, 0.0);
          const c = loadUpTo4(cosRow + at, left, 0.0);
          const s = f32x4.mul(loadUpTo4(sinRow + at, left, 0.0), turn);
          storeUpTo4(y + at, f32x4.sub(f32x4.mul(x0, c), f32x4.mul(x1, s)), left);
          storeUpTo4(y + width + at, madd(x0, s, f32x4.mul(x1, c)), left);
        }
        y += width << 1;
      }
    }
  }
}
