/**
 * Pillow's bicubic resize to the bit: `image.resize((width, height), PIL.Image.BICUBIC)`
 * (algorithm of Pillow, src/libImaging/Resample.c).
 *
 * Each output pixel is a weighted mean of input pixels under Keys' cubic kernel with a = −1/2. When
 * shrinking, the kernel is stretched by the scale, so it averages ("antialias"). Weights are 22-bit fixed
 * point; rows first, then columns, with 8-bit rounding between the two passes. torch's
 * `interpolate(mode="bicubic")` has a = −3/4, no antialias by default and no rounding in between: a different
 * picture.
 */

import { checkRgbImage, checkSide, type RgbImage } from './rgbImage.ts';

const A = -0.5;
const SUPPORT = 2;
const PRECISION_BITS = 22;

/** The weights of one axis: output i is Σ_k weights[i·taps + k] · input[first[i] + k] over k < count[i]. */
interface AxisWeights {
  readonly taps: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
}

/** @throws ImageError for sides that are not positive integers or an image whose data has the wrong length */
export function resizeBicubic(image: RgbImage, width: number, height: number): RgbImage {
  checkRgbImage('resizeBicubic', image);
  checkSide('resizeBicubic', 'width', width);
  checkSide('resizeBicubic', 'height', height);
  const wide = width === image.width ? image : resizeRows(image, width);
  const done = height === image.height ? wide : resizeColumns(wide, height);
  return done === image ? { ...image, data: image.data.slice() } : done;
}

/** Keys' cubic convolution kernel. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return ((A + 2) * t - (A + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * A;
  return 0;
}

function axisWeights(inSize: number, outSize: number): AxisWeights {
  const scale = inSize / outSize;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * taps);
  const row = new Float64Array(taps);
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(center - support + 0.5));
    count[i] = Math.min(inSize, Math.trunc(center + support + 0.5)) - first[i];
    let sum = 0;
    for (let k = 0; k < count[i]; k++) {
      // Pillow multiplies by 1 / stretch; dividing would round some weights differently.
      row[k] = cubic((k + first[i] - center + 0.5) * (1 / stretch));
      sum += row[k];
    }
    for (let k = 0; k < count[i]; k++) {
      const fixed = (sum === 0 ? row[k] : row[k] / sum) * (1 << PRECISION_BITS);
      weights[i * taps + k] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    }
  }
  return { taps, first, count, weights };
}

const HALF = 1 << (PRECISION_BITS - 1);

function clip8(sum: number): number {
  return Math.max(0, Math.min(sum >> PRECISION_BITS, 255));
}

function resizeRows(image: RgbImage, width: number): RgbImage {
  const { taps, first, count, weights } = axisWeights(image.width, width);
  const { height, data } = image;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      let r = HALF;
      let g = HALF;
      let b = HALF;
      let from = (y * image.width + first[x]) * 3;
      for (let k = x * taps, end = k + count[x]; k < end; k++, from += 3) {
        const weight = weights[k];
        r += weight * data[from];
        g += weight * data[from + 1];
        b += weight * data[from + 2];
      }
      out[to] = clip8(r);
      out[to + 1] = clip8(g);
      out[to + 2] = clip8(b);
    }
  }
  return { width, height, data: out };
}

function resizeColumns(image: RgbImage, height: number): RgbImage {
  const { taps, first, count, weights } = axisWeights(image.height, height);
  const stride = image.width * 3;
  const out = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    // A row of sums at once keeps the reads in memory order.
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * taps + k];
      const from = (first[y] + k) * stride;
      for (let i = 0; i < stride; i++) sums[i] += weight * image.data[from + i];
    }
    for (let i = 0; i < stride; i++) out[y * stride + i] = clip8(sums[i]);
  }
  return { width: image.width, height, data: out };
}
