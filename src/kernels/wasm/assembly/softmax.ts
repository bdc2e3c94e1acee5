/** Softmax, and cross-entropy with it, over dense rows. */
import { rowDot } from './reduce';
import { exp4, loadUpTo4, maxLanes, storeUpTo4, sumLanes } from './vector';

// @ts-ignore: decorator
@external("env", "log")
declare function log(x: f64): f64;

const RUN: i32 = 256;

function rowMax(n: i32, x: usize): f32 {
  let m = f32x4.splat(-Infinity);
  for (; n > 0; n -= 4, x += 16) m = f32x4.max(m, loadUpTo4(x, n, -Infinity));
  return maxLanes(m);
}

/** Σ exp(x − shift); the terms go to y as well, unless y is 0. */
function expSum(n: i32, x: usize, shift: f32, y: usize): f64 {
  const by = f32x4.splat(shift);
  let total: f64 = 0;
  while (n > 0) {
    let s = f32x4.splat(0);
    const run = min(RUN, n);
    for (let left = run; left > 0; left -= 4, x += 16) {
      // Lanes behind the end are exp(−∞) = 0.
      const e = exp4(f32x4.sub(loadUpTo4(x, left, -Infinity), by));
      s = f32x4.add(s, e);
      if (y) {
        storeUpTo4(y, e, left);
        y += 16;
      }
    }
    total += sumLanes(s);
    n -= run;
  }
  return total;
}

function softmaxRow(n: i32, x: usize, y: usize): void {
  const m = rowMax(n, x);
  if (m == -Infinity) {
    memory.fill(y, 0, <usize>n << 2);
    return;
  }
  const sum = f32x4.splat(<f32>expSum(n, x, m, y));
  for (; n > 0; n -= 4, y += 16) storeUpTo4(y, f32x4.div(loadUpTo4(y, n, 0.0), sum), n);
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
    const logSum = m == -Infinity ? -Infinity : log(expSum(n, x, m, 0));
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
