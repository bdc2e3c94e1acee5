/**
 * Random small changes of a training picture, drawn while it is read: scale, shift, turn, mirror, brightness, contrast.
 * One affine map per picture, sampled bilinearly, straight into normalised planes.
 */

import type { Rng } from 'cogvlm-ts';
import { CLIP_MEAN, CLIP_STD } from 'cogvlm-ts/data';

/** How far the changes may go; the defaults of `recipe.ts` were chosen by trying. */
export interface Augmentation {
  /** Largest relative change of size: 0.15 scales by 0.85…1.15. */
  readonly scale: number;
  /** Largest shift, as a part of the side. */
  readonly shift: number;
  /** Largest turn in degrees. */
  readonly turn: number;
  /** Probability of a mirror image. */
  readonly mirror: number;
  /** Largest relative change of each colour channel together (brightness) and of the contrast. */
  readonly light: number;
  /** Largest relative change of each colour channel on its own. */
  readonly tint: number;
}

/** A square picture, rows first, three bytes per pixel. */
export interface SquareRgb {
  readonly rgb: Uint8Array;
  readonly size: number;
}

const WHITE = 255;

/**
 * Writes one changed picture as normalised channel planes: out[c, y, x] = (value/255 − mean_c) / std_c.
 *
 * @param out At least 3·side² numbers from `offset` on; layout [3, side, side].
 * @throws RangeError where `out` is too short.
 */
export function augmentInto(
  out: Float32Array,
  offset: number,
  side: number,
  { rgb, size }: SquareRgb,
  how: Augmentation,
  rng: Rng,
): void {
  const plane = side * side;
  if (out.length < offset + 3 * plane)
    throw new RangeError(`augmentInto: out has ${out.length} numbers, ${offset + 3 * plane} are needed`);
  const spread = (limit: number): number => limit * (2 * rng.uniform() - 1);
  const step = size / side / (1 + spread(how.scale));
  const angle = (spread(how.turn) * Math.PI) / 180;
  const mirror = rng.uniform() < how.mirror ? -1 : 1;
  const [cos, sin] = [step * Math.cos(angle), step * Math.sin(angle)];
  const [middleX, middleY] = [size * (0.5 + spread(how.shift)), size * (0.5 + spread(how.shift))];
  const brightness = 1 + spread(how.light);
  const contrast = 1 + spread(how.light);
  const gain = CLIP_MEAN.map(() => brightness * (1 + spread(how.tint)));

  // Channel value v in 0…255 becomes clamp(((v·gain/255 − ½)·contrast + ½), 0, 1), then is normalised.
  const tables = gain.map((g, c) =>
    Float32Array.from({ length: 256 }, (_, v) => {
      const changed = Math.min(1, Math.max(0, ((v * g) / 255 - 0.5) * contrast + 0.5));
      return (changed - CLIP_MEAN[c]) / CLIP_STD[c];
    }),
  );
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const u = mirror * (x + 0.5 - side / 2);
      const v = y + 0.5 - side / 2;
      const px = middleX + cos * u - sin * v - 0.5;
      const py = middleY + sin * u + cos * v - 0.5;
      const [x0, y0] = [Math.floor(px), Math.floor(py)];
      const [fx, fy] = [px - x0, py - y0];
      for (let c = 0; c < 3; c++) {
        const value =
          (1 - fy) * ((1 - fx) * pixel(rgb, size, x0, y0, c) + fx * pixel(rgb, size, x0 + 1, y0, c)) +
          fy * ((1 - fx) * pixel(rgb, size, x0, y0 + 1, c) + fx * pixel(rgb, size, x0 + 1, y0 + 1, c));
        out[offset + c * plane + y * side + x] = tables[c][Math.round(value)];
      }
    }
  }
}

/** The pixel's channel, white outside of the picture. */
function pixel(rgb: Uint8Array, size: number, x: number, y: number, channel: number): number {
  return x < 0 || y < 0 || x >= size || y >= size ? WHITE : rgb[(y * size + x) * 3 + channel];
}
