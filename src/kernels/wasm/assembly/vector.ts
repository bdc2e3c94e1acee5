/**
 * Four float32 lanes: multiply-add, sums of lanes, rests of rows shorter than four, and exp and Φ as polynomials.
 * The polynomials are weighted least-squares fits (Lawson's reweighting, near minimax) made for this file.
 */

/** a·b + c: one rounding where the module is built with relaxed SIMD, two in the plain one. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The four lanes added up in float64. */
@inline
export function sumLanes(v: v128): f64 {
  return (
    <f64>f32x4.extract_lane(v, 0) +
    <f64>f32x4.extract_lane(v, 1) +
    (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3))
  );
}

@inline
export function maxLanes(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** `count` (0 to 3) floats, one by one. */
export function copyRest(count: i32, from: usize, to: usize): void {
  for (; count > 0; count--, from += 4, to += 4) store<u32>(to, load<u32>(from));
}

/** The last `count` (1 to 3) elements of a row; the lanes behind them hold `rest`. */
export function loadRest(from: usize, count: i32, rest: f32): v128 {
  let v = f32x4.splat(rest);
  v = f32x4.replace_lane(v, 0, load<f32>(from));
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(from, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(from, 8));
  return v;
}

export function storeRest(to: usize, v: v128, count: i32): void {
  store<f32>(to, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(v, 2), 8);
}

/** Four elements, or what is left of them. */
@inline
export function loadUpTo4(from: usize, left: i32, rest: f32): v128 {
  return left >= 4 ? v128.load(from) : loadRest(from, left, rest);
}

@inline
export function storeUpTo4(to: usize, v: v128, left: i32): void {
  if (left >= 4) v128.store(to, v);
  else storeRest(to, v, left);
}

/**
 * eˣ, relative error below 1.2e-7, denormal results included; 0 below −104, ∞ above 88.73, NaN stays NaN.
 *
 * x = n·ln 2 + r with |r| ≤ ln 2 / 2, so eˣ = 2ⁿ·eʳ and eʳ = 1 + r + r²·q(r). ln 2 is taken in two pieces, of which
 * n times the first is exact. Adding 1.5·2²³ rounds x/ln 2 to an integer and leaves n in the low bits. 2ⁿ is applied
 * as two factors because n may lie outside the exponents of float32.
 */
@inline
export function exp4(x: v128): v128 {
  const magic = f32x4.splat(12582912.0);
  const clamped = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89.0)), f32x4.splat(-104.5));
  const shifted = f32x4.add(f32x4.mul(clamped, f32x4.splat(1.4426950408889634)), magic);
  const n = f32x4.sub(shifted, magic);
  let r = madd(n, f32x4.splat(-0.693145751953125), clamped);
  r = madd(n, f32x4.splat(-1.4286068203094172e-6), r);
  let q = f32x4.splat(0.0013950599823147058);
  q = madd(q, r, f32x4.splat(0.008368954062461853));
  q = madd(q, r, f32x4.splat(0.04166620597243309));
  q = madd(q, r, f32x4.splat(0.166665181517601));
  q = madd(q, r, f32x4.splat(0.5));
  const e = f32x4.add(f32x4.splat(1.0), madd(f32x4.mul(r, r), q, r));
  const whole = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(whole, 1);
  const one = i32x4.splat(127);
  const first = i32x4.shl(i32x4.add(half, one), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), one), 23);
  return f32x4.mul(f32x4.mul(e, first), second);
}

/** 1 / (1 + e⁻ˣ). */
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1.0);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/**
 * Φ(−|x|) given bell = exp(−x²/2): the lower tail of the standard normal distribution, with a small relative error
 * however far out. Φ(−|x|)·exp(x²/2) = u·P(t) with u = 1/(|x| + 2.5) and t = 1 − 5u ∈ [−1, 1).
 */
@inline
export function normalTail4(x: v128, bell: v128): v128 {
  const one = f32x4.splat(1.0);
  const u = f32x4.div(one, f32x4.add(f32x4.abs(x), f32x4.splat(2.5)));
  const t = madd(u, f32x4.splat(-5.0), one);
  let p = f32x4.splat(-2.4813273079600898e-5);
  p = madd(p, t, f32x4.splat(-0.00019241512794581988));
  p = madd(p, t, f32x4.splat(-0.000288923027594307));
  p = madd(p, t, f32x4.splat(0.0007257300501197345));
  p = madd(p, t, f32x4.splat(0.0025180725926631565));
  p = madd(p, t, f32x4.splat(-0.0016174744633277703));
  p = madd(p, t, f32x4.splat(-0.016385863787044288));
  p = madd(p, t, f32x4.splat(0.009238390952132103));
  p = madd(p, t, f32x4.splat(0.13198699032738423));
  p = madd(p, t, f32x4.splat(-0.43369211516780154));
  p = madd(p, t, f32x4.splat(0.7066566599184221));
  return f32x4.mul(f32x4.mul(bell, u), p);
}

/** exp(−x²/2). */
@inline
export function bell4(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/** Φ(x) given bell = exp(−x²/2). */
@inline
export function normalCdf4(x: v128, bell: v128): v128 {
  const tail = normalTail4(x, bell);
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1.0), tail), f32x4.lt(x, f32x4.splat(0.0)));
}

/** erf x: x·P(x²) where |x| < 1, beyond that 1 − 2Φ(−|x|√2) with the sign of x. */
@inline
export function erf4(x: v128): v128 {
  const s = f32x4.mul(x, x);
  let p = f32x4.splat(7.853857660603906e-5);
  p = madd(p, s, f32x4.splat(-0.0008010192506602593));
  p = madd(p, s, f32x4.splat(0.005188327558356837));
  p = madd(p, s, f32x4.splat(-0.026853811868217257));
  p = madd(p, s, f32x4.splat(0.11283585147009242));
  p = madd(p, s, f32x4.splat(-0.37612625824091395));
  p = madd(p, s, f32x4.splat(0.12837916612625122));
  const near = madd(x, p, x);
  const tail = normalTail4(f32x4.mul(x, f32x4.splat(Mathf.SQRT2)), exp4(f32x4.neg(s)));
  const far = madd(tail, f32x4.splat(-2.0), f32x4.splat(1.0));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const isNear = f32x4.lt(f32x4.abs(x), f32x4.splat(1.0));
  return v128.bitselect(near, v128.or(far, sign), isNear);
}
