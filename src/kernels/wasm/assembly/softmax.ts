/** Softmax, and cross-entropy with it, over dense rows. */
import { expNegative4 } from './exponential';
import { rowDot } from './reduce';
import { loadUpTo4, madd, maxLanes, storeUpTo4, sumLanes } from './vector';

@external("env", "log")
declare function log(x: f64): f64;

/** Elements whose exponentials are added in float32: 16 lanes, 32 additions each. */
const RUN: i32 = 512;

/** The greatest element, −∞ of none; NaN if one is NaN. pmax, one instruction, passes over NaN: they are looked for. */
export function rowMax(n: i32, x: usize): f32 {
  const none = f32x4.splat(-Infinity);
  let m0 = none, m1 = none, m2 = none, m3 = none;
  let isNumber = f32x4.eq(none, none), others = isNumber;
  for (const end = x + (<usize>(n & ~15) << 2); x < end; x += 64) {
    const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
    m0 = f32x4.pmax(m0, v0);
    m1 = f32x4.pmax(m1, v1);
    m2 = f32x4.pmax(m2, v2);
    m3 = f32x4.pmax(m3, v3);
    isNumber = v128.and(isNumber, v128.and(f32x4.le(v0, m0), f32x4.le(v1, m1)));
    others = v128.and(others, v128.and(f32x4.le(v2, m2), f32x4.le(v3, m3)));
  }
  for (let left = n & 15; left > 0; left -= 4, x += 16) {
    const v = loadUpTo4(x, left, -Infinity);
    m0 = f32x4.pmax(m0, v);
    isNumber = v128.and(isNumber, f32x4.le(v, m0));
  }
  if (!i32x4.all_true(v128.and(isNumber, others))) return NaN;
  return maxLanes(f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3)));
}

/**
 * y = exp(scale·x − shift), with the sum of it; y may be x. Without y (address 0) the sum alone. The exponents are at
 * most a rounding above 0: shift is the greatest scale·x.
 */
export function expRow(n: i32, x: usize, scale: f32, shift: f32, y: usize): f64 {
  const by = f32x4.splat(scale), less = f32x4.splat(-shift);
  const end = x + (<usize>(n & ~15) << 2);
  let total: f64 = 0;
  while (x < end) {
    const stop = min(end, x + (<usize>RUN << 2));
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (; x < stop; x += 64) {
      const e0 = expNegative4(madd(v128.load(x), by, less)), e1 = expNegative4(madd(v128.load(x, 16), by, less));
      const e2 = expNegative4(madd(v128.load(x, 32), by, less)), e3 = expNegative4(madd(v128.load(x, 48), by, less));
      s0 = f32x4.add(s0, e0);
      s1 = f32x4.add(s1, e1);
      s2 = f32x4.add(s2, e2);
      s3 = f32x4.add(s3, e3);
      if (y == 0) continue;
      v128.store(y, e0);
      v128.store(y, e1, 16);
      v128.store(y, e2, 32);
      v128.store(y, e3, 48);
      y += 64;
    }
    total += sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  }
  for (let left = n & 15; left > 0; left -= 4, x += 16) {
    // Lanes behind the end are exp(−∞) = 0.
    const e = expNegative4(madd(loadUpTo4(x, left, -Infinity), by, less));
    if (y) {
      storeUpTo4(y, e, left);
      y += 16;
    }
    total += sumLanes(e);
  }
  return total;
}

/** x *= `by`, rounded as if it were one product: `by` comes as two float32 whose sum it is. */
function multiplyRow(n: i32, x: usize, by: f64): void {
  const most = <f32>by;
  const head = f32x4.splat(most), tail = f32x4.splat(<f32>(by - <f64>most));
  for (const end = x + (<usize>(n & ~7) << 2); x < end; x += 32) {
    const v0 = v128.load(x), v1 = v128.load(x, 16);
    v128.store(x, madd(v0, head, f32x4.mul(v0, tail)));
    v128.store(x, madd(v1, head, f32x4.mul(v1, tail)), 16);
  }
  for (let left = n & 7; left > 0; left -= 4, x += 16) {
    const v = loadUpTo4(x, left, 0.0);
    storeUpTo4(x, madd(v, head, f32x4.mul(v, tail)), left);
  }
}

function softmaxRow(n: i32, x: usize, y: usize): void {
  const m = rowMax(n, x);
  if (m == -Infinity) memory.fill(y, 0, <usize>n << 2);
  else multiplyRow(n, y, 1 / expRow(n, x, 1, m, y));
}

/** Rows of n; row r sees its first min(n, ahead + 1 + r mod period) elements, the rest of y is 0. */
export function softmax(rows: i32, n: i32, x: usize, y: usize, period: i32, ahead: i32): void {
  let at = 0;
  for (let r = 0; r < rows; r++) {
    const sees = max(0, min(n, ahead + 1 + at));
    softmaxRow(sees, x, y);
    memory.fill(y + (<usize>sees << 2), 0, <usize>(n - sees) << 2);
    x += <usize>n << 2;
    y += <usize>n << 2;
    at += 1;
    if (at == period) at = 0;
  }
}

/** dx = y ⊙ (dy − Σ dy ⊙ y). */
export function softmaxBackward(rows: i32, n: i32, y: usize, dy: usize, dx: usize): void {
  for (let r = 0; r < rows; r++) {
    const dot = f32x4.splat(<f32>rowDot(n, y, dy));
    for (let left = n; left > 0; left -= 4) {
      const at = <usize>(n - left) << 2;
      const g = f32x4.sub(loadUpTo4(dy + at, left, 0.0), dot);
      storeUpTo4(dx + at, f32x4.mul(loadUpTo4(y + at, left, 0.0), g), left);
    }
    y += <usize>n << 2;
    dy += <usize>n << 2;
    dx += <usize>n << 2;
  }
}

/** logΣexp and loss of each row; the difference log Σ − (x[target] − max) is taken before rounding. */
export function crossEntropy(
  rows: i32, n: i32, x: usize, targets: usize, ignore: i32, loss: usize, logSumExp: usize,
): void {
  for (let r = 0; r < rows; r++) {
    const m = rowMax(n, x);
    const logSum = m == -Infinity ? -Infinity : log(expRow(n, x, 1, m, 0));
    const target = load<i32>(targets);
    store<f32>(logSumExp, <f32>(logSum + <f64>m));
    const at = target == ignore ? 0 : logSum - (<f64>load<f32>(x + (<usize>target << 2)) - <f64>m);
    store<f32>(loss, <f32>at);
    x += <usize>n << 2;
    targets += 4;
    loss += 4;
    logSumExp += 4;
  }
}

/** dx = dloss · (exp(x − logΣexp) − onehot(target)). */
export function crossEntropyBackward(
  rows: i32, n: i32, x: usize, targets: usize, ignore: i32, logSumExp: usize, dloss: usize, dx: usize,
): void {
  for (let r = 0; r < rows; r++) {
    const target = load<i32>(targets);
    if (target == ignore) memory.fill(dx, 0, <usize>n << 2);
    else {
      const d = load<f32>(dloss);
      const by = v128.load_splat<f32>(logSumExp);
      const at = <usize>target << 2;
      const scale = f32x4.splat(d);
      let from = x, to = dx;
      for (const end = x + (<usize>(n & ~7) << 2); from < end; from += 32, to += 32) {
        const p0 = expNegative4(f32x4.sub(v128.load(from), by)), p1 = expNegative4(f32x4.sub(v128.load(from, 16), by));
        v128.store(to, f32x4.mul(scale, p0));
        v128.store(to, f32x4.mul(scale, p1), 16);
      }
      for (let left = n & 7; left > 0; left -= 4, from += 16, to += 16) {
        const p = expNegative4(f32x4.sub(loadUpTo4(from, left, 0.0), by));
        storeUpTo4(to, f32x4.mul(scale, p), left);
      }
      // p − 1 of the target would lose the digits of a p close to 1 if it were taken after the product was rounded.
      const p = f32x4.extract_lane(expNegative4(f32x4.sub(v128.load_splat<f32>(x + at), by)), 0);
      store<f32>(dx + at, d * (p - 1));
    }
    x += <usize>n << 2;
    dx += <usize>n << 2;
    targets += 4;
    logSumExp += 4;
    dloss += 4;
  }
}
