/** LayerNorm and RMSNorm over dense rows of n. Statistics are taken in two passes and in float64 at the end. */
import { flushTotals, roundTotals, rowDot, rowSquaredDeviation, rowSum } from './reduce';
import { loadUpTo4, madd, storeUpTo4, sumLanes } from './vector';

/** Rows whose gradients of weight and bias are added in float32 before they go to the float64 totals. */
const ROW_RUN: i32 = 32;
/** Elements of a row added in float32, likewise. */
const RUN: i32 = 256;

/** y = (x − mean)·rstd·weight + bias. */
export function layerNorm(
  rows: i32, n: i32, x: usize, weight: usize, bias: usize, eps: f64, y: usize, mean: usize, rstd: usize,
): void {
  for (let r = 0; r < rows; r++, mean += 4, rstd += 4) {
    const centre = rowSum(n, x) / <f64>n;
    const scale = 1.0 / Math.sqrt(rowSquaredDeviation(n, x, centre) / <f64>n + eps);
    store<f32>(mean, <f32>centre);
    store<f32>(rstd, <f32>scale);
    const c = f32x4.splat(<f32>centre), s = f32x4.splat(<f32>scale);
    let w = weight, b = bias;
    for (let left = n; left > 0; left -= 4, x += 16, y += 16, w += 16, b += 16) {
      const normal = f32x4.mul(f32x4.sub(loadUpTo4(x, left, 0.0), c), s);
      storeUpTo4(y, madd(normal, loadUpTo4(w, left, 0.0), loadUpTo4(b, left, 0.0)), left);
    }
    // Whole vectors were stepped over: back to the end of the row.
    const over = <usize>((4 - (n & 3)) & 3) << 2;
    x -= over;
    y -= over;
  }
}

/** y = weight·(x·rstd). */
export function rmsNorm(rows: i32, n: i32, x: usize, weight: usize, eps: f64, y: usize, rstd: usize): void {
  for (let r = 0; r < rows; r++, rstd += 4) {
    const scale = 1.0 / Math.sqrt(rowDot(n, x, x) / <f64>n + eps);
    store<f32>(rstd, <f32>scale);
    const s = f32x4.splat(<f32>scale);
    let w = weight;
    for (let left = n; left > 0; left -= 4, x += 16, y += 16, w += 16) {
      storeUpTo4(y, f32x4.mul(f32x4.mul(loadUpTo4(x, left, 0.0), s), loadUpTo4(w, left, 0.0)), left);
    }
    const over = <usize>((4 - (n & 3)) & 3) << 2;
    x -= over;
    y -= over;
  }
}

/**
 * Of y = x̂·w + b with x̂ = (x − mean)·rstd and g = dy·w: dx = rstd·(g − mean(g) − x̂·mean(g·x̂)), dw = Σ dy·x̂, db = Σ dy.
 * Without `mean` (address 0): RMSNorm, where x̂ = x·rstd, the term mean(g) is absent, and there is no bias.
 * `work` has 2n float32 and 2n float64, all zero.
 */
export function normBackward(
  rows: i32, n: i32, x: usize, weight: usize, mean: usize, rstd: usize, dy: usize,
  dx: usize, dweight: usize, dbias: usize, work: usize,
): void {
  const partWeight = work, partBias = work + (<usize>n << 2);
  const totalWeight = work + (<usize>n << 3), totalBias = work + (<usize>n << 4);
  const row = <usize>n << 2;
  for (let r = 0; r < rows; r++, x += row, dy += row, dx += row, rstd += 4) {
    const c = mean ? v128.load_splat<f32>(mean + (<usize>r << 2)) : f32x4.splat(0);
    const s = v128.load_splat<f32>(rstd);
    let sumG: f64 = 0, sumGx: f64 = 0;
    for (let from = 0; from < n; from += RUN) {
      let t = f32x4.splat(0), u = f32x4.splat(0);
      for (let j = from, end = min(n, from + RUN); j < end; j += 4) {
        const at = <usize>j << 2, left = n - j;
        const normal = f32x4.mul(f32x4.sub(loadUpTo4(x + at, left, 0.0), c), s);
        const d = loadUpTo4(dy + at, left, 0.0);
        const g = f32x4.mul(d, loadUpTo4(weight + at, left, 0.0));
        t = f32x4.add(t, g);
        u = madd(g, normal, u);
        storeUpTo4(partWeight + at, madd(d, normal, loadUpTo4(partWeight + at, left, 0.0)), left);
        if (mean) storeUpTo4(partBias + at, f32x4.add(d, loadUpTo4(partBias + at, left, 0.0)), left);
      }
      sumG += sumLanes(t);
      sumGx += sumLanes(u);
    }
    const meanG = f32x4.splat(mean ? <f32>(sumG / <f64>n) : 0);
    const meanGx = f32x4.splat(<f32>(-sumGx / <f64>n));
    for (let j = 0; j < n; j += 4) {
      const at = <usize>j << 2, left = n - j;
      const normal = f32x4.mul(f32x4.sub(loadUpTo4(x + at, left, 0.0), c), s);
      const g = f32x4.mul(loadUpTo4(dy + at, left, 0.0), loadUpTo4(weight + at, left, 0.0));
      storeUpTo4(dx + at, f32x4.mul(s, madd(normal, meanGx, f32x4.sub(g, meanG))), left);
    }
    if ((r + 1) % ROW_RUN == 0 || r + 1 == rows) {
      flushTotals(n, partWeight, totalWeight);
      if (mean) flushTotals(n, partBias, totalBias);
    }
  }
  roundTotals(n, totalWeight, dweight);
  if (mean) roundTotals(n, totalBias, dbias);
}
