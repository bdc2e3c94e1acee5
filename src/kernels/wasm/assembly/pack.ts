/** Packing for gemm: panels that its inner loop reads one element after the other, whatever the strides were. */

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

/**
 * `lines` rows of A or columns of B, `across` bytes apart, with k elements each, `along` bytes apart, in panels of W
 * (4 or 8) lines: [k, W] each. The last panel is filled with zeros.
 */
@inline
export function pack(W: i32, lines: i32, k: i32, from: usize, across: usize, along: usize, to: usize): void {
  const step = <usize>W << 2;
  for (; lines >= W; lines -= W, from += <usize>W * across) {
    let at = from;
    let p = 0;
    if (across == 4) {
      for (; p < k; p++, at += along, to += step) {
        v128.store(to, v128.load(at));
        if (W == 8) v128.store(to, v128.load(at, 16), 16);
      }
    } else if (along == 4) {
      for (; p + 4 <= k; p += 4, at += 16, to += 4 * step) {
        transpose4(at, across, to, step);
        if (W == 8) transpose4(at + 4 * across, across, to + 16, step);
      }
    }
    for (; p < k; p++, at += along, to += step) {
      for (let q = 0; q < W; q++) store<f32>(to + (<usize>q << 2), load<f32>(at + <usize>q * across));
    }
  }
  if (lines == 0) return;
  for (let p = 0; p < k; p++, from += along, to += step) {
    let at = from;
    for (let q = 0; q < lines; q++, at += across) store<f32>(to + (<usize>q << 2), load<f32>(at));
    for (let q = lines; q < W; q++) store<f32>(to + (<usize>q << 2), 0);
  }
}
