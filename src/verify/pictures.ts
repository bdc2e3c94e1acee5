/**
 * Pictures against PIL and torchvision: decoded, resized and normalised. PNG decoding is exact, so its pixel values
 * agree to rounding; JPEG decoders may differ by a level of grey here and there, and are judged by the mean.
 */
import { decodeImage, imageFormat, pixelValues, readJpegStructure } from '../data/index.ts';
import { type DType, sizeOf } from '../kernels/index.ts';
import { Tensor } from '../tensor/index.ts';
import type { Allowance, Finding, Findings, Numbers } from './finding.ts';
import { type GoldenFolder, readManifest, readTruth, whileOpen } from './golden.ts';
import { JPEG_PIXELS, PNG_PIXELS, SUBSAMPLED_JPEG_PIXELS } from './tolerances.ts';

/** What a picture's pixel values may be off, by its format. */
export function pictureAllowance(bytes: Uint8Array): Allowance {
  if (imageFormat(bytes) === 'PNG') return { tolerance: PNG_PIXELS };
  let subsampled = false;
  readJpegStructure(bytes, ({ components }) => {
    subsampled = components.some(({ h, v }) => h !== components[0].h || v !== components[0].v);
  });
  return { tolerance: subsampled ? SUBSAMPLED_JPEG_PIXELS : JPEG_PIXELS, measure: 'mean' };
}

/**
 * Some of a golden folder's pictures.
 * @shape pixels [n, C, g·p, g·p] → [count, C, g·p, g·p]
 */
export function pictureTensor(pixels: Numbers, first: number, count: number, dtype: DType): Tensor {
  const [, ...rest] = pixels.shape;
  const each = sizeOf(rest);
  const values = Array.prototype.slice.call(pixels.data, first * each, (first + count) * each);
  return Tensor.fromArray(values, [count, ...rest], { dtype });
}

/** One for each FILE@SIZE of a preprocess folder. */
export async function* verifyPreprocess(folder: GoldenFolder): Findings {
  const manifest = await readManifest(folder);
  yield* whileOpen(folder.safetensors('expected.safetensors'), async function* (expected): Findings {
    for (const { file, sizes } of manifest) {
      const bytes = await folder.bytes(file);
      const image = decodeImage(bytes, { label: file });
      for (const size of sizes) {
        const truth = await readTruth(expected, `${file}@${size}`);
        const computed = { shape: [3, size, size], data: pixelValues(image, size) };
        const subject = { name: truth.name, of: 'pixelValues', check: 'value' } as const;
        yield { subject, truth, computed, allowance: pictureAllowance(bytes) };
      }
    }
  });
}

/** A model folder's own pictures, beside the pixel values PIL and torchvision made of them: [n, C, S, S]. */
export async function* verifyPictures(
  folder: GoldenFolder,
  files: readonly string[],
  { shape: [, ...shape], data }: Numbers,
): AsyncIterable<Finding> {
  const each = sizeOf(shape);
  for (const [i, file] of files.entries()) {
    const bytes = await folder.bytes(file);
    const computed = { shape, data: pixelValues(decodeImage(bytes, { label: file }), shape[1]) };
    const truth = { shape, data: Array.prototype.slice.call(data, i * each, (i + 1) * each) };
    const subject = { name: `pixel_values.${file}`, of: 'pixelValues', check: 'value' } as const;
    yield { subject, truth, computed, allowance: pictureAllowance(bytes) };
  }
}
