/**
 * AssemblyScript: the fastest this engine's 128-bit SIMD can multiply and add, read and copy. Each function answers a
 * number that depends on all it did, so that nothing is optimised away.
 */

/** x·y + z, in one instruction where the module has relaxed SIMD. */
@inline
function step(x: v128, y: v128, z: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, z);
  return f32x4.add(f32x4.mul(x, y), z);
}

/**
 * `rounds` × 10 steps of 8 operations: the inside of a matrix product at its best, a tile of 5×2 sums in registers, whose
 * factors come from the same few cache lines each time. Ten independent sums hide the time that one addition takes, and
 * with three factors they fit 16 registers. The factors are read anew so that no product can be kept from the round before.
 */
export function tile(rounds: i32): f32 {
  let a0 = f32x4.splat(0.5);
  let b0 = f32x4.splat(0.5);
  let a1 = f32x4.splat(0.5);
  let b1 = f32x4.splat(0.5);
  let a2 = f32x4.splat(0.5);
  let b2 = f32x4.splat(0.5);
  let a3 = f32x4.splat(0.5);
  let b3 = f32x4.splat(0.5);
  let a4 = f32x4.splat(0.5);
  let b4 = f32x4.splat(0.5);
  for (let i = 0; i < rounds; i++) {
    const p: usize = (i & 7) << 7;
    const y = v128.load(p);
    const z = v128.load(p, 16);
    const x0 = v128.load32_splat(p, 32);
    a0 = step(x0, y, a0);
    b0 = step(x0, z, b0);
    const x1 = v128.load32_splat(p, 48);
    a1 = step(x1, y, a1);
    b1 = step(x1, z, b1);
    const x2 = v128.load32_splat(p, 64);
    a2 = step(x2, y, a2);
    b2 = step(x2, z, b2);
    const x3 = v128.load32_splat(p, 80);
    a3 = step(x3, y, a3);
    b3 = step(x3, z, b3);
    const x4 = v128.load32_splat(p, 96);
    a4 = step(x4, y, a4);
    b4 = step(x4, z, b4);
  }
  // One after the other in this order: V8 (Node 20) then moves no register inside of the loop.
  let sum = a0;
  sum = f32x4.add(sum, b0);
  sum = f32x4.add(sum, a1);
  sum = f32x4.add(sum, b1);
  sum = f32x4.add(sum, a2);
  sum = f32x4.add(sum, b2);
  sum = f32x4.add(sum, a3);
  sum = f32x4.add(sum, b3);
  sum = f32x4.add(sum, a4);
  sum = f32x4.add(sum, b4);
  return f32x4.extract_lane(sum, 0);
}

/**
 * `rounds` × 12 steps of 8 operations, in registers alone: 12 chains s → 0.999·s + 0.001, which stay near 1. Faster than
 * the tile where multiplication and addition are one instruction; where they are two, a chain waits for both.
 */
export function chains(rounds: i32): f32 {
  const a = f32x4.splat(0.999);
  const b = f32x4.splat(0.001);
  let s0 = f32x4.splat(0.5);
  let s1 = f32x4.splat(0.5);
  let s2 = f32x4.splat(0.5);
  let s3 = f32x4.splat(0.5);
  let s4 = f32x4.splat(0.5);
  let s5 = f32x4.splat(0.5);
  let s6 = f32x4.splat(0.5);
  let s7 = f32x4.splat(0.5);
  let s8 = f32x4.splat(0.5);
  let s9 = f32x4.splat(0.5);
  let s10 = f32x4.splat(0.5);
  let s11 = f32x4.splat(0.5);
  for (let i = 0; i < rounds; i++) {
    s0 = step(s0, a, b);
    s1 = step(s1, a, b);
    s2 = step(s2, a, b);
    s3 = step(s3, a, b);
    s4 = step(s4, a, b);
    s5 = step(s5, a, b);
    s6 = step(s6, a, b);
    s7 = step(s7, a, b);
    s8 = step(s8, a, b);
    s9 = step(s9, a, b);
    s10 = step(s10, a, b);
    s11 = step(s11, a, b);
  }
  let sum = s0;
  sum = f32x4.add(sum, s1);
  sum = f32x4.add(sum, s2);
  sum = f32x4.add(sum, s3);
  sum = f32x4.add(sum, s4);
  sum = f32x4.add(sum, s5);
  sum = f32x4.add(sum, s6);
  sum = f32x4.add(sum, s7);
  sum = f32x4.add(sum, s8);
  sum = f32x4.add(sum, s9);
  sum = f32x4.add(sum, s10);
  sum = f32x4.add(sum, s11);
  return f32x4.extract_lane(sum, 0);
}

/**
 * `rounds` × 8 steps of 8 operations: products of four factors that stay in registers and two that are read, added to eight
 * sums. A product waits for nothing, so only the additions form chains: the fastest where the two are separate.
 */
export function products(rounds: i32): f32 {
  const x0 = v128.load32_splat(32), x1 = v128.load32_splat(48);
  const x2 = v128.load32_splat(64), x3 = v128.load32_splat(80);
  let a0 = f32x4.splat(0.5);
  let b0 = f32x4.splat(0.5);
  let a1 = f32x4.splat(0.5);
  let b1 = f32x4.splat(0.5);
  let a2 = f32x4.splat(0.5);
  let b2 = f32x4.splat(0.5);
  let a3 = f32x4.splat(0.5);
  let b3 = f32x4.splat(0.5);
  for (let i = 0; i < rounds; i++) {
    const p: usize = (i & 7) << 7;
    const y = v128.load(p), z = v128.load(p, 16);
    a0 = step(x0, y, a0);
    b0 = step(x0, z, b0);
    a1 = step(x1, y, a1);
    b1 = step(x1, z, b1);
    a2 = step(x2, y, a2);
    b2 = step(x2, z, b2);
    a3 = step(x3, y, a3);
    b3 = step(x3, z, b3);
  }
  let sum = a0;
  sum = f32x4.add(sum, b0);
  sum = f32x4.add(sum, a1);
  sum = f32x4.add(sum, b1);
  sum = f32x4.add(sum, a2);
  sum = f32x4.add(sum, b2);
  sum = f32x4.add(sum, a3);
  sum = f32x4.add(sum, b3);
  return f32x4.extract_lane(sum, 0);
}

/** Adds `bytes` (a multiple of 128) from `from`, `times` times over, in eight chains. */
export function read(from: usize, bytes: usize, times: i32): f32 {
  let c0 = f32x4.splat(0);
  let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  const end = from + bytes;
  for (let t = 0; t < times; t++) {
    for (let p = from; p < end; p += 128) {
      c0 = f32x4.add(c0, v128.load(p));
      c1 = f32x4.add(c1, v128.load(p, 16));
      c2 = f32x4.add(c2, v128.load(p, 32));
      c3 = f32x4.add(c3, v128.load(p, 48));
      c4 = f32x4.add(c4, v128.load(p, 64));
      c5 = f32x4.add(c5, v128.load(p, 80));
      c6 = f32x4.add(c6, v128.load(p, 96));
      c7 = f32x4.add(c7, v128.load(p, 112));
    }
  }
  c0 = f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3));
  c4 = f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7));
  return f32x4.extract_lane(f32x4.add(c0, c4), 0);
}

/** Copies `bytes` (a multiple of 64). */
export function copy(to: usize, from: usize, bytes: usize): f32 {
  for (let i: usize = 0; i < bytes; i += 64) {
    v128.store(to + i, v128.load(from + i));
    v128.store(to + i, v128.load(from + i, 16), 16);
    v128.store(to + i, v128.load(from + i, 32), 32);
    v128.store(to + i, v128.load(from + i, 48), 48);
  }
  return load<f32>(to);
}
