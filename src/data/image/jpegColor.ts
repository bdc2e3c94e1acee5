/** Which colour space a JPEG's components are in, and YCbCr to RGB in libjpeg's 16-bit fixed point. */

import type { JpegStructure } from './jpegMarkers.ts';

/** True where libjpeg takes three components for YCbCr: by JFIF, else by Adobe, else unless the ids spell RGB. */
export function isYcc({ frame, hasJfif, adobeTransform }: JpegStructure): boolean {
  if (hasJfif) return true;
  if (adobeTransform !== undefined) return adobeTransform !== 0;
  return String.fromCharCode(...frame.components.map(({ id }) => id)) !== 'RGB';
}

const SCALE = 1 << 16;
const HALF = 1 << 15;
const fixed = (x: number) => Math.round(x * SCALE);

// What a chroma level adds to a colour (JFIF: Cb and Cr are centred at 128).
const CR_TO_R = Int32Array.from({ length: 256 }, (_, cr) => (fixed(1.402) * (cr - 128) + HALF) >> 16);
const CB_TO_B = Int32Array.from({ length: 256 }, (_, cb) => (fixed(1.772) * (cb - 128) + HALF) >> 16);
// Green has two terms: they are added with all their bits, then rounded once.
const CR_TO_G = Int32Array.from({ length: 256 }, (_, cr) => -fixed(0.71414) * (cr - 128));
const CB_TO_G = Int32Array.from({ length: 256 }, (_, cb) => -fixed(0.34414) * (cb - 128) + HALF);

/** Planes Y, Cb, Cr of n samples each → [n, 3] RGB bytes. */
export function yccToRgb([luma, blue, red]: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8ClampedArray(luma.length * 3);
  for (let i = 0; i < luma.length; i++) {
    const y = luma[i];
    const cb = blue[i];
    const cr = red[i];
    out[i * 3] = y + CR_TO_R[cr];
    out[i * 3 + 1] = y + ((CB_TO_G[cb] + CR_TO_G[cr]) >> 16);
    out[i * 3 + 2] = y + CB_TO_B[cb];
  }
  return new Uint8Array(out.buffer);
}
