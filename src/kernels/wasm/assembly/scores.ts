/**
 * From scores to exponentials, for eight queries at a time: a panel [keys, 8] has a key in each row and a query in each
 * lane, so that maximum and sum of a query need nothing but operations on lanes.
 *
 * A float32 score of size m is off by about m·2⁻²⁴ for its own rounding and several times that for the sum of products
 * behind it; so is then, relatively, the probability. Rows whose maximum exceeds {@link LARGE} get the scores that
 * matter once more in double precision, and are rounded only after the maximum has been taken off.
 */
import { expNegative4 } from './exponential';
import { LANE_BYTES, LANES } from './panels';

@external("env", "log")
declare function log(x: f64): f64;

/** Scaled scores from here on have units in the last place of 2⁻¹⁹, sixteen times those of the probabilities. */
const LARGE: f64 = 16;
/** Taken for a float32 score's error relative to the row's maximum: sixteen roundings. */
const SCORE_ERROR: f64 = 1.0 / <f64>(1 << 20);
/** What an error in one probability may be while the greatest is 1. */
const TOLERATED: f64 = 1.0 / <f64>(1 << 26);
/** Keys whose exponentials are added in float32. */
const RUN: i32 = 32;

/** Keys that queries before `to` see. */
@inline
export function width(S: i32, T: i32, to: i32, causal: i32): i32 {
  return causal ? max(0, min(S, to + S - T)) : S;
}

/** Σ a·b in double precision, in which each product is exact. */
function dot(n: i32, a: usize, aStep: usize, b: usize, bStep: usize): f64 {
  let total: f64 = 0;
  if (aStep == 4 && bStep == 4) {
    let s0 = f64x2.splat(0), s1 = s0;
    for (; n >= 4; n -= 4, a += 16, b += 16) {
      const x0 = f64x2.promote_low_f32x4(v128.load64_zero(a)), x1 = f64x2.promote_low_f32x4(v128.load64_zero(a, 8));
      const y0 = f64x2.promote_low_f32x4(v128.load64_zero(b)), y1 = f64x2.promote_low_f32x4(v128.load64_zero(b, 8));
      s0 = f64x2.add(s0, f64x2.mul(x0, y0));
      s1 = f64x2.add(s1, f64x2.mul(x1, y1));
    }
    s0 = f64x2.add(s0, s1);
    total = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  }
  for (; n > 0; n--, a += aStep, b += bStep) total += <f64>load<f32>(a) * <f64>load<f32>(b);
  return total;
}

/** Whether a row with this greatest score wants {@link refine}. No for −∞ (nothing is seen) and NaN. */
@inline
export function isLarge(most: f32, scale: f64): bool {
  return abs(<f64>most) * scale > LARGE && most != -Infinity;
}

/**
 * Replaces the scores of one query, `step` bytes apart, by scale·(score − maximum). Computed anew in double precision
 * are those near enough to the greatest, `most`, for their error to matter: with all scores off by up to δ, a key d
 * below the maximum has a probability of at most exp(2δ − d) of the greatest, and δ times that is its error.
 * `exact` has room for n float64.
 */
export function refine(
  n: i32, scores: usize, step: usize,
  K: i32, q: usize, qK: usize, k: usize, kS: usize, kK: usize,
  scale: f64, most: f32, exact: usize,
): void {
  const error = abs(<f64>most) * scale * SCORE_ERROR;
  const least = <f64>most - (log(error / TOLERATED) + 2 * error) / scale;
  let greatest: f64 = -Infinity;
  let at = scores;
  for (let s = 0; s < n; s++, at += step, k += kS) {
    let score = <f64>load<f32>(at);
    if (score >= least) score = dot(K, q, qK, k, kK);
    greatest = max(greatest, score);
    store<f64>(exact + (<usize>s << 3), score);
  }
  at = scores;
  for (let s = 0; s < n; s++, at += step) {
    store<f32>(at, <f32>((load<f64>(exact + (<usize>s << 3)) - greatest) * scale));
  }
}

/** Scores of keys that a query does not see become −∞; `visible` is one byte per key, or address 0. */
function hide(n: i32, panel: usize, visible: usize, S: i32, T: i32, from: i32, to: i32, causal: i32): void {
  const never = f32x4.splat(-Infinity);
  if (visible) {
    for (let s = 0, at = panel; s < min(n, S); s++, at += LANE_BYTES) {
      if (load<u8>(visible + s)) continue;
      v128.store(at, never);
      v128.store(at, never, 16);
    }
  }
  for (let r = 0; r < LANES; r++) {
    const sees = from + r < to ? width(S, T, from + r + 1, causal) : 0;
    for (let s = sees; s < n; s++) store<f32>(panel + (<usize>s << 5) + (<usize>r << 2), -Infinity);
  }
}

/** The greatest score of each query, eight floats at `most`. */
function greatest(n: i32, panel: usize, most: usize): void {
  let m0 = f32x4.splat(-Infinity), m1 = m0;
  for (const end = panel + (<usize>n << 5); panel < end; panel += 32) {
    m0 = f32x4.max(m0, v128.load(panel));
    m1 = f32x4.max(m1, v128.load(panel, 16));
  }
  v128.store(most, m0);
  v128.store(most, m1, 16);
}

@inline
function lowHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}
@inline
function highHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** 1/Σ of four lanes whose sums are in two vectors of float64; 0 where Σ is 0. */
@inline
function inverse(low: v128, high: v128): v128 {
  const one = f64x2.splat(1);
  const over = v128.shuffle<i64>(
    f32x4.demote_f64x2_zero(f64x2.div(one, low)),
    f32x4.demote_f64x2_zero(f64x2.div(one, high)),
    0, 2,
  );
  return v128.andnot(over, f32x4.eq(over, f32x4.splat(Infinity)));
}

/**
 * The panel of scores of the queries from `from` (below `to`) becomes exp(scale·(score − maximum)), 0 where a query
 * sees nothing; 1/Σ of each query goes to `over`. n is a multiple of 4; K, q, k with strides are what the scores were
 * computed from, `exact` is room for n float64, `lanes` for 16 floats.
 */
export function exponentials(
  n: i32, panel: usize, visible: usize, S: i32, T: i32, from: i32, to: i32, causal: i32,
  K: i32, q: usize, qT: usize, qK: usize, k: usize, kS: usize, kK: usize,
  scale: f64, exact: usize, lanes: usize, over: usize,
): void {
  hide(n, panel, visible, S, T, from, to, causal);
  const most = lanes, factor = lanes + LANE_BYTES;
  greatest(n, panel, most);
  for (let r = 0; r < LANES; r++) {
    const at = <usize>r << 2;
    const m = load<f32>(most + at);
    const large = isLarge(m, scale);
    if (large) {
      const query = q + <usize>(from + r) * qT;
      refine(min(n, S), panel + at, LANE_BYTES, K, query, qK, k, kS, kK, scale, m, exact);
    }
    store<f32>(factor + at, large ? 1 : <f32>scale);
    if (large || m == -Infinity) store<f32>(most + at, 0);
  }
  const m0 = v128.load(most), m1 = v128.load(most, 16);
  const by0 = v128.load(factor), by1 = v128.load(factor, 16);
  let t0 = f64x2.splat(0), t1 = t0, t2 = t0, t3 = t0;
  const end = panel + (<usize>n << 5);
  while (panel < end) {
    let s0 = f32x4.splat(0), s1 = s0;
    for (const stop = min(end, panel + (<usize>RUN << 5)); panel < stop; panel += 32) {
      const e0 = expNegative4(f32x4.mul(f32x4.sub(v128.load(panel), m0), by0));
      const e1 = expNegative4(f32x4.mul(f32x4.sub(v128.load(panel, 16), m1), by1));
      v128.store(panel, e0);
      v128.store(panel, e1, 16);
      s0 = f32x4.add(s0, e0);
      s1 = f32x4.add(s1, e1);
    }
    t0 = f64x2.add(t0, lowHalf(s0));
    t1 = f64x2.add(t1, highHalf(s0));
    t2 = f64x2.add(t2, lowHalf(s1));
    t3 = f64x2.add(t3, highHalf(s1));
  }
  v128.store(over, inverse(t0, t1));
  v128.store(over, inverse(t2, t3), 16);
}

/**
 * Slopes of the loss to the probabilities, dP, become those to the scores: scale·P ⊙ (dP − Σ dP ⊙ P), with P = e·over.
 */
export function slopes(n: i32, e: usize, d: usize, over: usize, scale: f64): void {
  let t0 = f64x2.splat(0), t1 = t0, t2 = t0, t3 = t0;
  const bytes = <usize>n << 5;
  for (let at: usize = 0; at < bytes; ) {
    let s0 = f32x4.splat(0), s1 = s0;
    for (const stop = min(bytes, at + (<usize>RUN << 5)); at < stop; at += 32) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(e + at), v128.load(d + at)));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(e + at, 16), v128.load(d + at, 16)));
    }
    t0 = f64x2.add(t0, lowHalf(s0));
    t1 = f64x2.add(t1, highHalf(s0));
    t2 = f64x2.add(t2, lowHalf(s1));
    t3 = f64x2.add(t3, highHalf(s1));
  }
  const over0 = v128.load(over), over1 = v128.load(over, 16);
  const mean0 = mean(t0, t1, over0), mean1 = mean(t2, t3, over1);
  const factor = f32x4.splat(<f32>scale);
  const by0 = f32x4.mul(over0, factor), by1 = f32x4.mul(over1, factor);
  for (let at: usize = 0; at < bytes; at += 32) {
    const p0 = f32x4.mul(v128.load(e + at), by0), p1 = f32x4.mul(v128.load(e + at, 16), by1);
    v128.store(d + at, f32x4.mul(p0, f32x4.sub(v128.load(d + at), mean0)));
    v128.store(d + at, f32x4.mul(p1, f32x4.sub(v128.load(d + at, 16), mean1)), 16);
  }
}

@inline
function mean(low: v128, high: v128, over: v128): v128 {
  return v128.shuffle<i64>(
    f32x4.demote_f64x2_zero(f64x2.mul(low, lowHalf(over))),
    f32x4.demote_f64x2_zero(f64x2.mul(high, highHalf(over))),
    0, 2,
  );
}
