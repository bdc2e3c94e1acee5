/**
 * Comparisons to bytes of 0 and 1, choice by such bytes, and conversions between float32, int32 and bool.
 */
import { Cast, Compare } from './codes';
import { rest } from './thread';

/** Elements a step takes: one vector of bytes. */
const STEP: i32 = 16;

@inline
function holds4(f: i32, a: v128, b: v128): v128 {
  if (f == Compare.eq) return f32x4.eq(a, b);
  if (f == Compare.ne) return f32x4.ne(a, b);
  if (f == Compare.lt) return f32x4.lt(a, b);
  if (f == Compare.le) return f32x4.le(a, b);
  if (f == Compare.gt) return f32x4.gt(a, b);
  if (f == Compare.ge) return f32x4.ge(a, b);
  if (f == Compare.eqInt32) return i32x4.eq(a, b);
  if (f == Compare.neInt32) return i32x4.ne(a, b);
  if (f == Compare.ltInt32) return i32x4.lt_s(a, b);
  if (f == Compare.leInt32) return i32x4.le_s(a, b);
  if (f == Compare.gtInt32) return i32x4.gt_s(a, b);
  return i32x4.ge_s(a, b);
}

/** Sixteen masks as bytes of 0 and 1. */
@inline
function bytes(m0: v128, m1: v128, m2: v128, m3: v128): v128 {
  const all = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3));
  return v128.and(all, i8x16.splat(1));
}

/** Four bytes as 32-bit lanes. */
@inline
function widen(from: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
}

@inline
function mapCompare(f: i32, n: i32, a: usize, b: usize, bStep: usize, out: usize): void {
  if (bStep == 0) {
    const y = v128.load_splat<u32>(b);
    for (const end = out + <usize>n; out < end; a += 64, out += 16) {
      const m0 = holds4(f, v128.load(a), y), m1 = holds4(f, v128.load(a, 16), y);
      const m2 = holds4(f, v128.load(a, 32), y), m3 = holds4(f, v128.load(a, 48), y);
      v128.store(out, bytes(m0, m1, m2, m3));
    }
  } else {
    for (const end = out + <usize>n; out < end; a += 64, b += 64, out += 16) {
      const m0 = holds4(f, v128.load(a), v128.load(b)), m1 = holds4(f, v128.load(a, 16), v128.load(b, 16));
      const m2 = holds4(f, v128.load(a, 32), v128.load(b, 32)), m3 = holds4(f, v128.load(a, 48), v128.load(b, 48));
      v128.store(out, bytes(m0, m1, m2, m3));
    }
  }
}

function compareOf16s(f: i32, n: i32, a: usize, b: usize, bStep: usize, out: usize): void {
  switch (f) {
    case Compare.eq: return mapCompare(Compare.eq, n, a, b, bStep, out);
    case Compare.ne: return mapCompare(Compare.ne, n, a, b, bStep, out);
    case Compare.lt: return mapCompare(Compare.lt, n, a, b, bStep, out);
    case Compare.le: return mapCompare(Compare.le, n, a, b, bStep, out);
    case Compare.gt: return mapCompare(Compare.gt, n, a, b, bStep, out);
    case Compare.ge: return mapCompare(Compare.ge, n, a, b, bStep, out);
    case Compare.eqInt32: return mapCompare(Compare.eqInt32, n, a, b, bStep, out);
    case Compare.neInt32: return mapCompare(Compare.neInt32, n, a, b, bStep, out);
    case Compare.ltInt32: return mapCompare(Compare.ltInt32, n, a, b, bStep, out);
    case Compare.leInt32: return mapCompare(Compare.leInt32, n, a, b, bStep, out);
    case Compare.gtInt32: return mapCompare(Compare.gtInt32, n, a, b, bStep, out);
    case Compare.geInt32: return mapCompare(Compare.geInt32, n, a, b, bStep, out);
    default: unreachable();
  }
}

/** Dense a with dense b (step 4) or one number (step 0); float32 or int32 says f. */
export function compare(f: i32, n: i32, a: usize, b: usize, bStep: usize, out: usize): void {
  const whole = n & ~(STEP - 1), left = <usize>(n - whole);
  compareOf16s(f, whole, a, b, bStep, out);
  if (left == 0) return;
  memory.copy(rest, a + (<usize>whole << 2), left << 2);
  if (bStep) memory.copy(rest + 64, b + (<usize>whole << 2), left << 2);
  compareOf16s(f, STEP, rest, bStep ? rest + 64 : b, bStep, rest + 128);
  memory.copy(out + <usize>whole, rest + 128, left);
}

/** condition (bytes) ? a : b, all dense, of four-byte elements. */
export function where(n: i32, condition: usize, a: usize, b: usize, out: usize): void {
  const end = out + (<usize>(n & ~3) << 2);
  for (; out < end; condition += 4, a += 16, b += 16, out += 16) {
    const isZero = i32x4.eq(widen(condition), i32x4.splat(0));
    v128.store(out, v128.bitselect(v128.load(b), v128.load(a), isZero));
  }
  for (let left = n & 3; left > 0; left--, condition++, a += 4, b += 4, out += 4) {
    store<u32>(out, load<u8>(condition) ? load<u32>(a) : load<u32>(b));
  }
}

@inline
function nonzero4(f: i32, x: v128): v128 {
  return f == Cast.float32ToBool ? f32x4.ne(x, f32x4.splat(0)) : i32x4.ne(x, i32x4.splat(0));
}

/** Whether bytes are converted. */
@inline
function isBool(f: i32): bool {
  return f == Cast.boolToFloat32 || f == Cast.boolToInt32;
}

@inline
function mapCast(f: i32, n: i32, x: usize, y: usize): void {
  for (; n > 0; n -= STEP) {
    if (f == Cast.float32ToBool || f == Cast.int32ToBool) {
      const m0 = nonzero4(f, v128.load(x)), m1 = nonzero4(f, v128.load(x, 16));
      const m2 = nonzero4(f, v128.load(x, 32)), m3 = nonzero4(f, v128.load(x, 48));
      v128.store(y, bytes(m0, m1, m2, m3));
      x += 64;
      y += 16;
    } else {
      for (let i = 0; i < 4; i++, y += 16) {
        if (f == Cast.int32ToFloat32) v128.store(y, f32x4.convert_i32x4_s(v128.load(x)));
        else if (f == Cast.boolToFloat32) v128.store(y, f32x4.convert_i32x4_s(widen(x)));
        else v128.store(y, widen(x));
        x += isBool(f) ? 4 : 16;
      }
    }
  }
}

function castOf16s(f: i32, n: i32, x: usize, y: usize): void {
  switch (f) {
    case Cast.int32ToFloat32: return mapCast(Cast.int32ToFloat32, n, x, y);
    case Cast.float32ToBool: return mapCast(Cast.float32ToBool, n, x, y);
    case Cast.int32ToBool: return mapCast(Cast.int32ToBool, n, x, y);
    case Cast.boolToFloat32: return mapCast(Cast.boolToFloat32, n, x, y);
    case Cast.boolToInt32: return mapCast(Cast.boolToInt32, n, x, y);
    default: unreachable();
  }
}

/** y = x in another dtype; f says from which and to which. */
export function cast(f: i32, n: i32, x: usize, y: usize): void {
  const whole = n & ~(STEP - 1), left = <usize>(n - whole);
  castOf16s(f, whole, x, y);
  if (left == 0) return;
  const from: usize = isBool(f) ? 1 : 4, to: usize = f == Cast.float32ToBool || f == Cast.int32ToBool ? 1 : 4;
  memory.copy(rest, x + <usize>whole * from, left * from);
  castOf16s(f, STEP, rest, rest + 64);
  memory.copy(y + <usize>whole * to, rest + 64, left * to);
}
