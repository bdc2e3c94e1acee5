/**
 * Pictures against PIL and torchvision: decoded, resized and normalised. PNG decoding is exact, so its pixel values
 * agree to rounding; JPEG decoders may differ by a level of grey here and there, and are judged by the mean.
 */
import { decodeImage, imageFormat, pixelValues } from '../data/image/index.ts';
import { readJpegStructure } from '../data/image/jpegMarkers.ts';
import type { DType } from '../kernels/backend.ts';
import { sizeOf } from '../kernels/views.ts';
import { Tensor } from '../tensor/index.ts';
import { type GoldenFolder, readManifest, readTruth, withOpen } from './golden.ts';
import { type Allowance, judge, type Numbers, type Row } from './judge.ts';
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
 * @shape pixels [n, C, S, S] → [count, C, S, S]
 */
export function pictureTensor(pixels: Numbers, first: number, count: number, dtype: DType): Tensor {
  const [, ...rest] = pixels.shape;
  const each = sizeOf(rest);
  const values = Array.prototype.slice.call(pixels.data, first * each, (first + count) * each);
  return Tensor.fromArray(values, [count, ...rest], { dtype });
}

/** One row per FILE@SIZE of a preprocess folder. */
export async function verifyPreprocess(folder: GoldenFolder, onRow: (row: Row) => void): Promise<void> {
  const manifest = await readManifest(folder);
  await withOpen(folder.safetensors('expected.safetensors'), async (expected) => {
    for (const { file, sizes } of manifest) {
      const bytes = await folder.bytes(file);
      const image = decodeImage(bytes, { label: file });
      for (const size of sizes) {
        const truth = await readTruth(expected, `${file}@${size}`);
        const computed = { shape: [3, size, size], data: pixelValues(image, size) };
        const subject = { name: truth.name, of: 'pixelValues', check: 'value' } as const;
        onRow(judge(subject, truth, computed, pictureAllowance(bytes)));
      }
    }
  });
}
