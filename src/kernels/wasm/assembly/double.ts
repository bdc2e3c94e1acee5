/**
 * Functions whose float32 result is taken from float64 lanes, two at a time: what is rounded once at the end is as good as
 * exact, and no argument needs a branch but the very large ones of sin and cos. The polynomials are the plain series.
 */

/** 1/k! from k = 12 down to 1. */
const EXP: usize = memory.data<f64>([
  2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7, 2.7557319223985893e-6, 2.48015873015873e-5,
  0.0001984126984126984, 0.001388888888888889, 0.008333333333333333, 0.041666666666666664, 0.16666666666666666, 0.5, 1,
]);
/** 2/(2k + 1) from k = 9 down to 0: 2·artanh s in powers of s². */
const LOG: usize = memory.data<f64>([
  0.10526315789473684, 0.11764705882352941, 0.13333333333333333, 0.15384615384615385, 0.18181818181818182,
  0.2222222222222222, 0.2857142857142857, 0.4, 0.6666666666666666, 2,
]);
/** (−1)ᵏ/(2k + 1)! from k = 7 down to 0, and (−1)ᵏ/(2k)! likewise. */
const SIN: usize = memory.data<f64>([
  -7.647163731819816e-13, 1.6059043836821613e-10, -2.505210838544172e-8, 2.7557319223985893e-6, -0.0001984126984126984,
  0.008333333333333333, -0.16666666666666666, 1,
]);
const COS: usize = memory.data<f64>([
  -1.1470745597729725e-11, 2.08767569878681e-9, -2.755731922398589e-7, 2.48015873015873e-5, -0.001388888888888889,
  0.041666666666666664, -0.5, 1,
]);
/** 1.5·2⁵²: a sum with it has an integer in its last bits. log₂e, ln 2; 2/π, π/2 in two pieces, of 33 and 53 bits. */
const SPLIT: usize = memory.data<f64>([
  6755399441055744, 1.4426950408889634, 0.6931471805599453, 0.6366197723675814, 1.5707963267341256,
  6.077100506506192e-11,
]);

@inline
function entry(table: usize, i: i32): v128 {
  return v128.load_splat<f64>(table + (<usize>i << 3));
}

@inline
function step(p: v128, x: v128, table: usize, i: i32): v128 {
  return f64x2.add(f64x2.mul(p, x), entry(table, i));
}

@inline
function poly7(t: usize, x: v128): v128 {
  let p = step(step(step(entry(t, 0), x, t, 1), x, t, 2), x, t, 3);
  p = step(step(p, x, t, 4), x, t, 5);
  return step(step(p, x, t, 6), x, t, 7);
}

@inline
function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline
function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

@inline
function narrow(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 2);
}

/** x/ln 2 rounded to n, as the last bits of a large number. */
@inline
function scaled(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, entry(SPLIT, 1)), entry(SPLIT, 0));
}

/** eʳ − 1 with r = x − n·ln 2. */
@inline
function remainderLess1(x: v128, shifted: v128): v128 {
  const n = f64x2.sub(shifted, entry(SPLIT, 0));
  const r = f64x2.sub(x, f64x2.mul(n, entry(SPLIT, 2)));
  const p = step(step(step(step(poly7(EXP, r), r, EXP, 8), r, EXP, 9), r, EXP, 10), r, EXP, 11);
  return f64x2.mul(p, r);
}

@inline
function powerOf2(shifted: v128): v128 {
  return i64x2.add(f64x2.splat(1), i64x2.shl(shifted, 52));
}

/** x within ±700, where eˣ is far outside float32. */
@inline
function bounded(x: v128): v128 {
  return f64x2.pmax(f64x2.pmin(x, f64x2.splat(700)), f64x2.splat(-700));
}

/** tanh x = e/(e + 2) with e = e²ˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1), which cancels nowhere. */
@inline
function tanh2(x: v128): v128 {
  const twice = bounded(f64x2.add(x, x));
  const shifted = scaled(twice);
  const power = powerOf2(shifted);
  const e = f64x2.add(f64x2.mul(power, remainderLess1(twice, shifted)), f64x2.sub(power, f64x2.splat(1)));
  const y = f64x2.div(e, f64x2.add(e, f64x2.splat(2)));
  // −0 has lost its sign in the sums.
  return v128.or(y, v128.and(x, f64x2.splat(-0.0)));
}

@inline
export function tanh4(x: v128): v128 {
  return narrow(tanh2(low(x)), tanh2(high(x)));
}

/** ln x of a positive float32: x = 2ᵏ·m with √½ ≤ m < √2, ln m = 2·artanh((m − 1)/(m + 1)). 0 and ∞ give ∓∞. */
@inline
function log2(x: v128): v128 {
  const root = i64x2.splat(0x3fe6a09e667f3bcd);
  const k = i64x2.shr_s(i64x2.sub(x, root), 52);
  const m = i64x2.sub(x, i64x2.shl(k, 52));
  const magic = entry(SPLIT, 0), one = f64x2.splat(1);
  const exponent = f64x2.sub(i64x2.add(k, magic), magic);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  const p = step(step(poly7(LOG, z), z, LOG, 8), z, LOG, 9);
  const y = f64x2.add(f64x2.mul(exponent, entry(SPLIT, 2)), f64x2.mul(p, s));
  const most = f64x2.splat(Infinity), none = f64x2.splat(0);
  const upper = v128.bitselect(x, y, f64x2.eq(x, most));
  return v128.bitselect(f64x2.splat(-Infinity), upper, f64x2.eq(x, none));
}

/** NaN for x < 0 and NaN. */
@inline
function checkedLog2(x: v128): v128 {
  return v128.bitselect(log2(x), f64x2.splat(NaN), f64x2.ge(x, f64x2.splat(0)));
}

@inline
export function log4(x: v128): v128 {
  return narrow(checkedLog2(low(x)), checkedLog2(high(x)));
}

/** sin(x + quarter·π/2) for |x| < 2¹⁸: x = n·π/2 + r, and n + quarter says which of ±sin r and ±cos r it is. */
@inline
function sine2(x: v128, quarter: i64): v128 {
  const magic = entry(SPLIT, 0);
  const shifted = f64x2.add(f64x2.mul(x, entry(SPLIT, 3)), magic);
  const n = f64x2.sub(shifted, magic);
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(n, entry(SPLIT, 4))), f64x2.mul(n, entry(SPLIT, 5)));
  const z = f64x2.mul(r, r);
  const turn = i64x2.add(shifted, i64x2.splat(quarter));
  const odd = i64x2.neg(v128.and(turn, i64x2.splat(1)));
  const y = v128.bitselect(poly7(COS, z), f64x2.mul(r, poly7(SIN, z)), odd);
  return v128.xor(y, i64x2.shl(i64x2.shr_u(turn, 1), 63));
}

@inline
function sine4(x: v128, quarter: i64): v128 {
  const y = narrow(sine2(low(x), quarter), sine2(high(x), quarter));
  // −0 has lost its sign in the sums.
  return quarter == 0 ? v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(0))) : y;
}

@inline
export function sin4(x: v128): v128 {
  return isFar(x) ? sineFar(x, 0) : sine4(x, 0);
}

@inline
export function cos4(x: v128): v128 {
  return isFar(x) ? sineFar(x, 1) : sine4(x, 1);
}

/** Whether a lane is beyond the two pieces of π/2. */
@inline
function isFar(x: v128): bool {
  return v128.any_true(f32x4.gt(f32x4.abs(x), f32x4.splat(262144)));
}

/** Lane by lane with a range reduction that has bits of π for every exponent. */
function sineFar(x: v128, quarter: i32): v128 {
  let y = x;
  y = f32x4.replace_lane(y, 0, sineOf(f32x4.extract_lane(x, 0), quarter));
  y = f32x4.replace_lane(y, 1, sineOf(f32x4.extract_lane(x, 1), quarter));
  y = f32x4.replace_lane(y, 2, sineOf(f32x4.extract_lane(x, 2), quarter));
  return f32x4.replace_lane(y, 3, sineOf(f32x4.extract_lane(x, 3), quarter));
}

function sineOf(x: f32, quarter: i32): f32 {
  if (abs(x) <= 262144) return f32x4.extract_lane(quarter == 0 ? sine4(f32x4.splat(x), 0) : sine4(f32x4.splat(x), 1), 0);
  return <f32>(quarter == 0 ? Math.sin(<f64>x) : Math.cos(<f64>x));
}

/** aᵇ = e^(b·ln|a|) with the sign (−1)ᵇ; 1 for b = 0, a = 1, and a = −1 with an infinite b; NaN for a < 0, b not whole. */
@inline
function pow2(a: v128, b: v128): v128 {
  const one = f64x2.splat(1), none = f64x2.splat(0), minus = f64x2.splat(-0.0);
  const size = f64x2.abs(a);
  const exponent = bounded(f64x2.mul(b, log2(size)));
  const shifted = scaled(exponent);
  const y = f64x2.mul(powerOf2(shifted), f64x2.add(remainderLess1(exponent, shifted), one));
  // NaN would come out of the bits of |a|.
  const value = v128.bitselect(y, a, f64x2.eq(a, a));
  const half = f64x2.mul(b, f64x2.splat(0.5));
  const isWhole = f64x2.eq(f64x2.trunc(b), b);
  const isOdd = v128.and(isWhole, f64x2.ne(f64x2.trunc(half), half));
  const signed = v128.xor(value, v128.and(v128.and(isOdd, a), minus));
  const isUndefined = v128.andnot(v128.and(f64x2.lt(a, none), f64x2.eq(b, b)), isWhole);
  // −∞ to a power that is not whole is 0 or ∞, and so is its float32 neighbour's; only finite a have no result.
  const isFinite = f64x2.lt(size, f64x2.splat(Infinity));
  const defined = v128.bitselect(f64x2.splat(NaN), signed, v128.and(isUndefined, isFinite));
  const infinite = f64x2.eq(f64x2.abs(b), f64x2.splat(Infinity));
  const isOne = v128.or(
    v128.or(f64x2.eq(b, none), f64x2.eq(a, one)),
    v128.and(f64x2.eq(size, one), infinite),
  );
  return v128.bitselect(one, defined, isOne);
}

/** Not inline: the loops over layouts that call it would get its registers too. */
export function pow4(a: v128, b: v128): v128 {
  return narrow(pow2(low(a), low(b)), pow2(high(a), high(b)));
}
