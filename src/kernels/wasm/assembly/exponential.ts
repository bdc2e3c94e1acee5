/**
 * exp and what is made of it, on four float32 lanes: the logistic function, the normal distribution, erf.
 *
 * The coefficients are weighted least-squares fits (Lawson's reweighting, near minimax) made for this file.
 */
import { cubic, entry, madd, quartic, quintic, sextic } from './vector';

/** (eʳ − 1 − r)/r² for |r| ≤ ln 2 / 2, relative error of eʳ 4e-9. */
const EXP: usize = memory.data<f32>([
  0.0013863644041230375, 0.00836765735606848, 0.04166724388984405, 0.1666653265990046, 0.5,
]);
/**
 * log₂e; ln 2 as two pieces, of which n times the first is exact; 1.5·2²³ alone and with the bias of
 * exponents, or one less, added; 1 and ½.
 */
const SPLIT: usize = memory.data<f32>([
  1.4426950408889634, -0.693145751953125, -1.4286068203094172e-6, 12582912, 12583039, 12583038, 1, 0.5,
]);
const LOG2E = 0, HIGH = 1, LOW = 2, ROUND = 3, ROUND_BIASED = 4, ROUND_BIASED_HALF = 5, ONE = 6, HALF = 7;
/** Ends of the range of arguments, for `exp4`, `expNegative4` and e⁻ˣ/2; the e⁻ˣ/2 below which 1 − sigmoid x loses digits. */
const LIMIT: usize = memory.data<f32>([89, -104.5, -87.9, 89.4, -87.3, 88.3, 0.03125]);

/** x·log₂e + `magic`: the sum is so large that its last bits are an integer, n = x/ln 2 rounded. */
@inline
function scaled(x: v128, magic: v128): v128 {
  return madd(x, entry(SPLIT, LOG2E), magic);
}

/** eʳ with r = x − n·ln 2. */
@inline
function expRemainder(x: v128, n: v128): v128 {
  const r = madd(n, entry(SPLIT, LOW), madd(n, entry(SPLIT, HIGH), x));
  const r2 = f32x4.mul(r, r);
  return f32x4.add(entry(SPLIT, ONE), madd(quartic(EXP, r, r2), r2, r));
}

/**
 * eˣ, relative error below 1.2e-7, denormal results included; 0 below −104, ∞ above 88.73, NaN stays NaN. 2ⁿ is applied
 * as two factors because n may lie outside the exponents of float32.
 */
@inline
export function exp4(x: v128): v128 {
  const magic = entry(SPLIT, ROUND);
  const clamped = f32x4.pmax(f32x4.pmin(x, entry(LIMIT, 0)), entry(LIMIT, 1));
  const shifted = scaled(clamped, magic);
  const e = expRemainder(clamped, f32x4.sub(shifted, magic));
  const whole = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(whole, 1);
  const one = i32x4.splat(127);
  const first = i32x4.shl(i32x4.add(half, one), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), one), 23);
  return f32x4.mul(f32x4.mul(e, first), second);
}

/**
 * eˣ for x ≤ 88, as precise, but 0 where it is below 2^−126.5. n comes with the bias of exponents, so its bits pushed to
 * their place are 2ⁿ, and 0 where n is −127.
 */
@inline
export function expNegative4(x: v128): v128 {
  const magic = entry(SPLIT, ROUND_BIASED);
  const clamped = f32x4.pmax(x, entry(LIMIT, 2));
  const shifted = scaled(clamped, magic);
  const e = expRemainder(clamped, f32x4.sub(shifted, magic));
  return f32x4.mul(e, i32x4.shl(shifted, 23));
}

/** e⁻ˣ/2, at least 0 and at most ½·e^`most`: the half lets 2ⁿ⁻¹ reach to the end of float32. */
@inline
function halfExpMinus(x: v128, most: v128): v128 {
  const magic = entry(SPLIT, ROUND_BIASED_HALF);
  const clamped = f32x4.pmin(f32x4.pmax(f32x4.neg(x), entry(LIMIT, 4)), most);
  const shifted = scaled(clamped, magic);
  const e = expRemainder(clamped, f32x4.sub(shifted, magic));
  return f32x4.mul(e, i32x4.shl(shifted, 23));
}

/** 1 / (1 + e⁻ˣ). */
@inline
export function sigmoid4(x: v128): v128 {
  const half = entry(SPLIT, HALF);
  return f32x4.div(half, f32x4.add(half, halfExpMinus(x, entry(LIMIT, 3))));
}

/** x / (1 + e⁻ˣ). */
@inline
export function silu4(x: v128): v128 {
  const half = entry(SPLIT, HALF);
  return f32x4.div(f32x4.mul(x, half), f32x4.add(half, halfExpMinus(x, entry(LIMIT, 3))));
}

/** h = e⁻ˣ/2, bounded so that its product with sigmoid x stays a number. */
@inline
export function siluExp4(x: v128): v128 {
  return halfExpMinus(x, entry(LIMIT, 5));
}

/**
 * Derivative of silu: s·(1 + x·(1 − s)) with s = sigmoid x = ½/(½ + h). Where s is almost 1, 1 − s has lost its digits
 * and is taken as 2h·s; elsewhere the difference is better, since in the product the error of s then partly cancels.
 */
@inline
export function siluSlope4(x: v128, h: v128, s: v128): v128 {
  const one = entry(SPLIT, ONE);
  const bounded = f32x4.pmax(x, f32x4.neg(entry(LIMIT, 5)));
  const product = f32x4.mul(f32x4.add(h, h), s);
  const rest = v128.bitselect(f32x4.sub(one, s), product, f32x4.gt(h, entry(LIMIT, 6)));
  return f32x4.mul(s, madd(bounded, rest, one));
}

/** (2ᶠ − 1)/f for |f| ≤ ½, relative error of 2ᶠ 2e-9. */
const EXP2: usize = memory.data<f32>([
  0.00015352958269529117, 0.0013399395854437944, 0.009618442347542827, 0.05550331222157962, 0.24022647845892298,
  0.6931472033830798,
]);
/** −½·log₂e; an a beyond which Φ(−a) is 0; 1/√2π; √2. */
const NORMAL: usize = memory.data<f32>([-0.7213475204444817, 13.28, 0.3989422804014327, 1.4142135623730951]);
/**
 * Φ(−a)·2^(c·a²) = P(a)/Q(a) for 0 ≤ a ≤ 13.3 with c the float32 next to ½·log₂e; relative error 6e-8·(1 + a²/2), less
 * than rounding a² makes.
 */
const MILLS_ABOVE: usize = memory.data<f32>([
  0.014217515687791392, 0.10741110747193126, 0.3406079671367513, 0.5,
]);
const MILLS_BELOW: usize = memory.data<f32>([
  0.0356506798940171, 0.2688296241831067, 0.8950013388586582, 1.4790981019441694, 1,
]);

/** exp(−a²/2) given a²; 0 from a = 13.28 on. */
@inline
function bell4(a2: v128): v128 {
  const by = entry(NORMAL, 0), magic = entry(SPLIT, ROUND_BIASED);
  const shifted = madd(a2, by, magic);
  const f = madd(a2, by, f32x4.sub(magic, shifted));
  const p = madd(quintic(EXP2, f, f32x4.mul(f, f)), f, entry(SPLIT, ONE));
  return f32x4.mul(p, i32x4.shl(shifted, 23));
}

/** x·Φ(x) = max(x, 0) − a·Φ(−a) with a = |x|; x − min(x, 0) is that maximum and gives NaN, as x·Φ(x) does, for −∞. */
@inline
export function gelu4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), entry(NORMAL, 1));
  const a2 = f32x4.mul(a, a);
  const above = f32x4.mul(bell4(a2), f32x4.mul(a, cubic(MILLS_ABOVE, a, a2)));
  const tail = f32x4.div(above, quartic(MILLS_BELOW, a, a2));
  return f32x4.sub(f32x4.sub(x, f32x4.pmin(x, f32x4.splat(0.0))), tail);
}

/** Φ(x) + x·φ(x): d = Φ(−a) − a·φ(a) on the left and 1 − d on the right. */
@inline
export function geluSlope4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), entry(NORMAL, 1));
  const a2 = f32x4.mul(a, a);
  const mills = f32x4.div(cubic(MILLS_ABOVE, a, a2), quartic(MILLS_BELOW, a, a2));
  const d = f32x4.mul(bell4(a2), f32x4.sub(mills, f32x4.mul(a, entry(NORMAL, 2))));
  return v128.bitselect(d, f32x4.sub(entry(SPLIT, ONE), d), f32x4.lt(x, f32x4.splat(0.0)));
}

/** (erf x − x)/x as a polynomial in x², for |x| < 1. */
const ERF_NEAR: usize = memory.data<f32>([
  7.853857660603906e-5, -0.0008010192506602593, 0.005188327558356837, -0.026853811868217257, 0.11283585147009242,
  -0.37612625824091395, 0.12837916612625122,
]);

/** erf x: x·P(x²) where |x| < 1, beyond that 1 − 2Φ(−|x|√2) with the sign of x. */
@inline
export function erf4(x: v128): v128 {
  const whole = f32x4.abs(x);
  const x2 = f32x4.mul(x, x);
  const near = madd(x, sextic(ERF_NEAR, x2, f32x4.mul(x2, x2)), x);
  const a = f32x4.pmin(f32x4.mul(whole, entry(NORMAL, 3)), entry(NORMAL, 1));
  const a2 = f32x4.mul(a, a);
  const tail = f32x4.div(f32x4.mul(bell4(a2), cubic(MILLS_ABOVE, a, a2)), quartic(MILLS_BELOW, a, a2));
  const one = entry(SPLIT, ONE);
  const far = f32x4.sub(one, f32x4.add(tail, tail));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(whole, one));
}
