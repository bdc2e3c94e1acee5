/**
 * The picture every part of the image pipeline passes on, and the error all of them throw.
 *
 * Pixels are 8-bit RGB in HWC order (row by row, R G B together), the layout of `np.asarray(pil_image)`.
 * Planar CHW float pixels appear only at the very end, in `pixelValues`.
 */

export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] bytes. */
  readonly data: Uint8Array;
}

export type ImageFormat = 'PNG' | 'JPEG';

/** A file that cannot be read as a picture, or a picture whose fields contradict each other. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

/** The largest picture read without being asked: Pillow's `MAX_IMAGE_PIXELS` (a quarter gigabyte of RGB). */
export const DEFAULT_MAX_PIXELS = 89_478_485;

/** Throws ImageError unless `image` has positive integer sides and width · height · 3 bytes. */
export function checkRgbImage(where: string, image: RgbImage): void {
  const { width, height, data } = image;
  checkSide(where, 'image.width', width);
  checkSide(where, 'image.height', height);
  if (data.length !== width * height * 3) {
    throw new ImageError(
      `${where}: image.data has ${data.length} bytes, expected ${width} x ${height} x 3 = ${width * height * 3}`,
    );
  }
}

/** Throws ImageError unless `side` is an integer of at least one pixel. */
export function checkSide(where: string, argument: string, side: number): void {
  if (!Number.isInteger(side) || side < 1) {
    throw new ImageError(`${where}: ${argument} is ${side}, expected a positive integer number of pixels`);
  }
}

/** Throws ImageError for a declared size that is zero or more than `maxPixels`. */
export function checkDeclaredSize(width: number, height: number, maxPixels: number): void {
  if (width < 1 || height < 1) throw new ImageError(`declared size ${width} x ${height} has no pixels`);
  if (width * height > maxPixels) {
    throw new ImageError(
      `declared size ${width} x ${height} = ${width * height} pixels is over the limit of ${maxPixels} (maxPixels)`,
    );
  }
}
