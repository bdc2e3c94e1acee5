/**
 * From the bytes of a PNG or JPEG file to RGB pixels, as `PIL.Image.open(file).convert("RGB")` reads them.
 *
 * The format is told by the first bytes, never by a file name. EXIF orientation is not applied, and alpha is
 * dropped, not composited: PIL does neither, and CogVLM was trained on what PIL gives.
 */

import { decodeJpeg } from './jpeg.ts';
import { decodePng } from './png.ts';
import { DEFAULT_MAX_PIXELS, ImageError, type ImageFormat, type RgbImage } from './rgbImage.ts';

export interface DecodeImageOptions {
  /** Refuse a picture whose header declares more pixels than this. Default `DEFAULT_MAX_PIXELS`. */
  readonly maxPixels?: number;
  /** What to call the picture in error messages, usually its file name. */
  readonly label?: string;
}

/**
 * Decodes a PNG (every colour type, bit depth and interlacing) or a JPEG (Huffman-coded baseline or
 * progressive, 8 bits; grey, YCbCr, RGB, CMYK, YCCK).
 *
 * PNG pixels equal PIL's exactly. JPEG pixels differ from libjpeg's by the rounding of the inverse DCT, see
 * `jpeg.ts`.
 *
 * @throws ImageError for an unknown format, a truncated or damaged file, an unsupported kind, a zero size, or
 *   a declared size over `maxPixels` (the last two are told from the header, before pixels take memory).
 */
export function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): RgbImage {
  const { maxPixels = DEFAULT_MAX_PIXELS, label } = options;
  if (!(maxPixels >= 1)) throw new ImageError(`decodeImage: maxPixels is ${maxPixels}, expected at least 1`);
  const of = label === undefined ? '' : ` "${label}"`;
  const format = imageFormat(bytes);
  if (format === undefined) throw new ImageError(`image${of}: ${describeUnknown(bytes)}`);
  try {
    return format === 'PNG' ? decodePng(bytes, maxPixels) : decodeJpeg(bytes, maxPixels);
  } catch (error) {
    if (error instanceof ImageError) {
      throw new ImageError(`${format} image${of}: ${error.message}`, { cause: error });
    }
    // The packages below report damage by plain errors (and by indexing past the end of their data).
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError(`${format} image${of}: cannot decode its data (${reason})`, { cause: error });
  }
}

const MAGIC: readonly (readonly [ImageFormat, readonly number[]])[] = [
  ['PNG', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['JPEG', [0xff, 0xd8, 0xff]],
];

/** The format the first bytes tell, or undefined. */
export function imageFormat(bytes: Uint8Array): ImageFormat | undefined {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte))?.[0];
}

function describeUnknown(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty file, expected PNG or JPEG';
  const head = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `unknown format, expected PNG or JPEG; the file (${bytes.length} bytes) begins with ${head}`;
}
