/** Resizing against Pillow, and pixel values against PIL + torchvision. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeImage, pixelValues, type RgbImage, resizeBicubic } from '../../src/data/image/index.ts';
import {
  difference,
  golden,
  goldenTensors,
  preprocessCases,
  resizeInput,
  resizeOutputs,
} from './imageGoldens.ts';

describe('resizeBicubic', () => {
  it.each(resizeOutputs)('41 x 31 → $width x $height equals Pillow in every byte', (expected) => {
    const image = resizeBicubic(resizeInput, expected.width, expected.height);
    expect([image.width, image.height]).toEqual([expected.width, expected.height]);
    expect(difference(image.data, expected.data)).toEqual({ max: 0, mean: 0 });
  });

  const side = fc.integer({ min: 1, max: 24 });
  const byte = fc.integer({ min: 0, max: 255 });
  const pictures = fc
    .tuple(side, side)
    .chain(([width, height]) =>
      fc
        .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
        .map((data): RgbImage => ({ width, height, data })),
    );

  it('keeps a picture of one colour', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.tuple(byte, byte, byte), (w, h, w2, h2, color) => {
        const fill = (n: number) => Uint8Array.from({ length: n * 3 }, (_, i) => color[i % 3]);
        const image = resizeBicubic({ width: w, height: h, data: fill(w * h) }, w2, h2);
        expect(image.data).toEqual(fill(w2 * h2));
      }),
    );
  });

  it('of a picture to its own size is a copy', () => {
    const copy = resizeBicubic(resizeInput, resizeInput.width, resizeInput.height);
    expect(copy).toEqual(resizeInput);
    expect(copy.data.buffer).not.toBe(resizeInput.data.buffer);
  });

  it('commutes with swapping the colour channels', () => {
    const swapped = ({ data, ...sides }: RgbImage): RgbImage => ({
      ...sides,
      data: data.map((_, i) => data[i - (i % 3) + 2 - (i % 3)]),
    });
    fc.assert(
      fc.property(pictures, side, side, (image, w, h) => {
        expect(resizeBicubic(swapped(image), w, h)).toEqual(swapped(resizeBicubic(image, w, h)));
      }),
    );
  });

  // At power-of-two ratios every centre is exact in binary, so left and right see mirrored weights.
  it('commutes with a flip when the scale is a power of two', () => {
    const flipped = ({ width, height, data }: RgbImage): RgbImage => ({
      width,
      height,
      data: data.map((_, i) => {
        const x = Math.floor(i / 3) % width;
        return data[i + (width - 1 - 2 * x) * 3];
      }),
    });
    fc.assert(
      fc.property(pictures, (image) => {
        for (const [w, h] of [
          [image.width * 2, image.height],
          [image.width * 4, image.height * 2],
        ]) {
          expect(resizeBicubic(flipped(image), w, h)).toEqual(flipped(resizeBicubic(image, w, h)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses sides that are no numbers of pixels and data of the wrong length', () => {
    expect(() => resizeBicubic(resizeInput, 0, 5)).toThrow(
      'resizeBicubic: width is 0, expected a positive integer',
    );
    expect(() => resizeBicubic(resizeInput, 5, 2.5)).toThrow('resizeBicubic: height is 2.5, expected');
    expect(() => resizeBicubic({ ...resizeInput, width: 40 }, 5, 5)).toThrow('expected 40 x 31 x 3 = 3720');
  });
});

describe('pixelValues', () => {
  const truth = goldenTensors('preprocess/expected.safetensors');

  it('has a truth for every case', () => {
    expect([...truth.keys()].sort()).toEqual(
      preprocessCases.map(({ file, size }) => `${file}@${size}`).sort(),
    );
  });

  it.each(preprocessCases)('$file at $size equals PIL + torchvision', ({ file, size }) => {
    const { shape, data } = truth.get(`${file}@${size}`)!;
    const values = pixelValues(decodeImage(golden(`preprocess/${file}`), { label: file }), size);
    expect(shape).toEqual([3, size, size]);
    const { max, mean } = difference(values, data);
    if (file.endsWith('.png')) {
      expect(max).toBe(0);
    } else {
      // One level of 255 is 0.0150 after normalising; the inverse DCT differs by that here and there.
      expect(max).toBeLessThanOrEqual(0.05);
      expect(mean).toBeLessThanOrEqual(0.003);
    }
  });

  it('refuses a size that is no number of pixels', () => {
    expect(() => pixelValues(resizeInput, -4)).toThrow(
      'pixelValues: size is -4, expected a positive integer',
    );
  });
});
