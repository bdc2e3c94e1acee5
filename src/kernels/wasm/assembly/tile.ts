/**
 * The innermost loop of gemm: a 4×8 tile of C in eight registers.
 *
 * It is written for how V8 orders a block of straight code: all loads come first, then the arithmetic of each register
 * in one chain. So one block must not hold more than one step, or the operands of several wait in registers that do not
 * exist. A way out of the loop after each step keeps the steps apart, and four of them share the loop's own work.
 * Addresses are moved on before they are used, which spares the engine from widening them anew.
 */
import { madd } from './vector';

/** Rows of a panel of A and columns of a panel of B. */
export const MR: i32 = 4;
export const NR: i32 = 8;

/** C [4, 8] = (C +) panel of A [k, 4] · panel of B [k, 8], k ≥ 1: every sum in one chain, from the first term to the last. */
export function tile(k: i32, a: usize, b: usize, c: usize, cRow: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let x: v128, b0: v128, b1: v128;
  a -= 16;
  b -= 128;
  const last = a + (<usize>k << 4);
  do {
    b += 128;
    a += 16;
    b0 = v128.load(b);
    b1 = v128.load(b, 16);
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
    if (a >= last) break;
    a += 16;
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
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
    if (a >= last) break;
    a += 16;
    b0 = v128.load(b, 64);
    b1 = v128.load(b, 80);
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
    if (a >= last) break;
    a += 16;
    b0 = v128.load(b, 96);
    b1 = v128.load(b, 112);
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
  } while (a < last);
  // A store between the loads keeps them from being moved ahead all together.
  if (accumulate) {
    v128.store(c, f32x4.add(c00, v128.load(c)));
    v128.store(c, f32x4.add(c01, v128.load(c, 16)), 16);
    c += cRow;
    v128.store(c, f32x4.add(c10, v128.load(c)));
    v128.store(c, f32x4.add(c11, v128.load(c, 16)), 16);
    c += cRow;
    v128.store(c, f32x4.add(c20, v128.load(c)));
    v128.store(c, f32x4.add(c21, v128.load(c, 16)), 16);
    c += cRow;
    v128.store(c, f32x4.add(c30, v128.load(c)));
    v128.store(c, f32x4.add(c31, v128.load(c, 16)), 16);
  } else {
    v128.store(c, c00);
    v128.store(c, c01, 16);
    c += cRow;
    v128.store(c, c10);
    v128.store(c, c11, 16);
    c += cRow;
    v128.store(c, c20);
    v128.store(c, c21, 16);
    c += cRow;
    v128.store(c, c30);
    v128.store(c, c31, 16);
  }
}
