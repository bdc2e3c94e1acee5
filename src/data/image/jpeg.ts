/**
 * JPEG to RGB, as PIL reads it through libjpeg.
 *
 * `jpeg-js` undoes the entropy coding and the inverse DCT. The two steps after it are done here, because
 * jpeg-js repeats chroma samples and truncates colours where libjpeg interpolates and rounds, which at a
 * coloured edge differs by up to a hundred levels:
 *
 *   component planes → chroma upsampling (`jpegChroma.ts`) → YCbCr to RGB (`jpegColor.ts`)
 *
 * What is left is the inverse DCT: jpeg-js and libjpeg round it differently, mostly by 0, seldom by 1 or 2
 * levels. Four-component pictures (CMYK, YCCK) go through jpeg-js's own conversion, since it gives out no
 * planes of them.
 *
 * Not read, though libjpeg does: arithmetic coding, and files whose scans of one subsampled component (as
 * progressive files have) use restart intervals that do not divide the scan: jpeg-js reads past the end of
 * its last interval.
 */

import jpeg from 'jpeg-js';
import { upsample } from './jpegChroma.ts';
import { isYcc, yccToRgb } from './jpegColor.ts';
import { type JpegFrame, type JpegStructure, readJpegStructure } from './jpegMarkers.ts';
import { checkDeclaredSize, ImageError, type RgbImage } from './rgbImage.ts';

/** @throws ImageError or the decoder's own error for damaged data (`decodeImage` adds format and label) */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number): RgbImage {
  const structure = readJpegStructure(bytes, (frame) => {
    checkDeclaredSize(frame.width, frame.height, maxPixels);
    checkDataForBlocks(frame, bytes.length);
  });
  const { frame } = structure;
  const { width, height } = frame;
  const decoded = jpeg.decode(bareJpeg(bytes, structure), {
    useTArray: true,
    formatAsRGBA: false,
    // For three components: give out Y, Cb, Cr as they are. Four components follow their Adobe segment.
    colorTransform: false,
    // The size was judged above; jpeg-js's own limits would only refuse with other words.
    maxResolutionInMP: Number.MAX_SAFE_INTEGER,
    maxMemoryUsageInMB: Number.MAX_SAFE_INTEGER,
  });
  if (decoded.data.length !== width * height * 3) {
    throw new ImageError(
      `damaged data: ${decoded.width} x ${decoded.height} pixels, declared ${width} x ${height}`,
    );
  }
  if (frame.components.length !== 3) return { width, height, data: decoded.data };
  const planes = frame.components.map((_, c) => componentPlane(decoded.data, frame, c));
  const data = isYcc(structure) ? yccToRgb(planes) : interleave(planes);
  return { width, height, data };
}

/**
 * Every 8 x 8 block costs at least one bit, so a short file cannot honestly declare a large picture. Told
 * before the decoder allocates some twelve bytes a pixel.
 */
function checkDataForBlocks(frame: JpegFrame, fileBytes: number): void {
  const { width, height, components } = frame;
  const maxH = Math.max(...components.map(({ h }) => h));
  const maxV = Math.max(...components.map(({ v }) => v));
  let blocks = 0;
  for (const { h, v } of components) {
    blocks += Math.ceil((width * h) / maxH / 8) * Math.ceil((height * v) / maxV / 8);
  }
  if (fileBytes * 8 < blocks) {
    throw new ImageError(
      `truncated: declared size ${width} x ${height} has ${blocks} blocks, too many for a file of ${fileBytes} bytes`,
    );
  }
}

/**
 * The file without application data and comments, so that jpeg-js neither stumbles over odd ones nor
 * transforms colours by them.
 */
function bareJpeg(bytes: Uint8Array, { frame, adobeTransform, needed }: JpegStructure): Uint8Array {
  const source = bytes.slice();
  // Sampling means nothing with one component (T.81 A.2.2), but jpeg-js pads the picture by it.
  if (frame.components.length === 1) source[frame.samplingOffset] = 0x11;
  const parts: Uint8Array[] = needed.map(([start, end]) => source.subarray(start, end));
  // jpeg-js wants an Adobe segment with four components; libjpeg takes CMYK without one.
  if (frame.components.length === 4) parts.unshift(adobeSegment((adobeTransform ?? 0) === 0 ? 0 : 2));
  parts.unshift(Uint8Array.of(0xff, 0xd8));
  const bare = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bare.set(part, offset);
    offset += part.length;
  }
  return bare;
}

function adobeSegment(transform: number): Uint8Array {
  const name = [...'Adobe'].map((letter) => letter.charCodeAt(0));
  return Uint8Array.of(0xff, 0xee, 0, 14, ...name, 0, 100, 0, 0, 0, 0, transform);
}

/**
 * Component `c` at full size. jpeg-js gives every sample repeated to full size, [height, width, 3]: the plane
 * as stored is read back from the middle of each repeat, then upsampled as libjpeg does.
 */
function componentPlane(data: Uint8Array, frame: JpegFrame, c: number): Uint8Array {
  const { width, height, components } = frame;
  const { id, h, v } = components[c];
  const repeatX = Math.max(...components.map((component) => component.h)) / h;
  const repeatY = Math.max(...components.map((component) => component.v)) / v;
  if (!Number.isInteger(repeatX) || !Number.isInteger(repeatY)) {
    throw new ImageError(`unsupported: component ${id} is sampled by a fraction (${repeatX} x ${repeatY})`);
  }
  const planeWidth = Math.ceil(width / repeatX);
  const planeHeight = Math.ceil(height / repeatY);
  const plane = new Uint8Array(planeWidth * planeHeight);
  for (let y = 0; y < planeHeight; y++) {
    const row = Math.min(y * repeatY + (repeatY >> 1), height - 1) * width;
    for (let x = 0; x < planeWidth; x++) {
      const column = Math.min(x * repeatX + (repeatX >> 1), width - 1);
      plane[y * planeWidth + x] = data[(row + column) * 3 + c];
    }
  }
  return upsample(plane, planeWidth, planeHeight, repeatX, repeatY, width, height);
}

function interleave(planes: readonly Uint8Array[]): Uint8Array {
  const [r, g, b] = planes;
  const out = new Uint8Array(r.length * 3);
  for (let i = 0; i < r.length; i++) {
    out[i * 3] = r[i];
    out[i * 3 + 1] = g[i];
    out[i * 3 + 2] = b[i];
  }
  return out;
}
