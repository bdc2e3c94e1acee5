/**
 * From a picture to the vision tower's input: CogVLM's transform
 * `Compose([Resize((size, size), BICUBIC), ToTensor(), Normalize(mean, std)])`.
 *
 * The picture is SQUASHED to the square: no aspect ratio, no crop, no padding.
 *
 * g·p the side of the square in pixels
 */

import { resizeBicubic } from './resize.ts';
import { checkSide, type RgbImage } from './rgbImage.ts';

/** CLIP's channel statistics, RGB order. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

/**
 * (x / 255 − mean) / std, each step rounded to float32 as torchvision computes it.
 *
 * @shape image [height, width, 3] → [3, g·p, g·p] float32, row-major
 * @throws ImageError for a size that is not a positive integer or an image whose data has the wrong length
 */
export function pixelValues(image: RgbImage, size: number): Float32Array {
  checkSide('pixelValues', 'size', size);
  const { data } = resizeBicubic(image, size, size); // [g·p, g·p, 3]
  const plane = size * size;
  const out = new Float32Array(3 * plane); // [3, g·p, g·p]
  for (let c = 0; c < 3; c++) {
    const level = normalisedLevels(CLIP_MEAN[c], CLIP_STD[c]);
    for (let i = 0; i < plane; i++) out[c * plane + i] = level[data[i * 3 + c]];
  }
  return out;
}

/** The float32 value of each of the 256 byte levels. */
function normalisedLevels(mean: number, std: number): Float32Array {
  const { fround } = Math;
  return Float32Array.from({ length: 256 }, (_, level) =>
    fround(fround(fround(level / 255) - fround(mean)) / fround(std)),
  );
}
