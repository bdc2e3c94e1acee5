/** Softmax, and cross-entropy with it, over dense rows. */
import { rowDot } from './reduce';
import { exp4, loadRest, loadUpTo4, madd, maxLanes, storeRest, storeUpTo4, sumLanes } from './vector';

@external("env", "log")
declare function log(x: f64): f64;

/** Elements whose exponentials are added in float32: 4 lanes, 64 additions each. */
const RUN: i32 = 256;

export function rowMax(n: i32, x: usize): f32 {
  let m = f32x4.splat(-Infinity);
  const end = x + (<usize>(n & ~3) << 2);
  for (; x < end; x += 16) m = f32x4.max(m, v128.load(x));
  if (n & 3) m = f32x4.max(m, loadRest(x, n & 3, -Infinity));
  return maxLanes(m);
}

/** y = exp(scale·x − shift), with the sum of it; y may be x. Without y (address 0) the sum alone. */
export function expRow(n: i32, x: usize, scale: f32, shift: f32, y: usize): f64 {
  const by = f32x4.splat(scale), less = f32x4.splat(-shift);
  const end = x + (<usize>(n & ~3) << 2);
  let total: f64 = 0;
  while (x < end) {
    const stop = min(end, x + (<usize>RUN << 2));
    let s = f32x4.splat(0);
    if (y) {
      for (; x < stop; x += 16, y += 16) {
        const e = exp4(madd(v128.load(x), by, less));
        v128.store(y, e);
        s = f32x4.add(s, e);
      }
    } else {
      for (; x < stop; x += 16) s = f32x4.add(s, exp4(madd(v128.load(x), by, less)));
    }
    total += sumLanes(s);
  }
  if (n & 3) {
    // Lanes behind the end are exp(−∞) = 0.
    const e = exp4(madd(loadRest(x, n & 3, -Infinity), by, less));
    if (y) storeRest(y, e, n & 3);
    total += sumLanes(e);
  }
  return total;
}

function softmaxRow(n: i32, x: usize, y: usize): void {
  const m = rowMax(n, x);
  if (m == -Infinity) {
    memory.fill(y, 0, <usize>n << 2);
    return;
  }
  const sum = f32x4.splat(<f32>expRow(n, x, 1, m, y));
  for (const end = y + (<usize>(n & ~3) << 2); y < end; y += 16) v128.store(y, f32x4.div(v128.load(y), sum));
  if (n & 3) storeRest(y, f32x4.div(loadRest(y, n & 3, 0.0), sum), n & 3);
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
      for (let left = n; left > 0; left -= 4) {
        const j = <usize>(n - left) << 2;
        const p = exp4(f32x4.sub(loadUpTo4(x + j, left, 0.0), by));
        storeUpTo4(dx + j, f32x4.mul(f32x4.splat(d), p), left);
      }
      // p − 1 of the target would lose the digits of a p close to 1 if it were taken after the product was rounded.
      const p = f32x4.extract_lane(exp4(f32x4.sub(v128.load_splat<f32>(x + at), by)), 0);
      store<f32>(dx + at, d * (p - 1));
    }
    x += <usize>n << 2;
    dx += <usize>n << 2;
    targets += 4;
    logSumExp += 4;
    dloss += 4;
  }
}
