/**
 * PNG to RGB, as PIL reads it (https://www.w3.org/TR/png-3/).
 *
 *   file = signature, chunks;  IDAT chunks joined = one zlib stream = scanlines of one or seven passes
 *
 * Only what decides a pixel is read: IHDR, PLTE, IDAT. Text, colour profiles and gamma are skipped, as PIL
 * skips them, and so is tRNS: converting to RGB drops transparency. The zlib stream is fed in small pieces
 * and inflating stops once the declared picture is full, so a "bomb" costs no more memory than the size it
 * admits to.
 */

import { encode } from 'fast-png';
import { Unzlib } from 'fflate';
import { checkPngKind, type PngKind, pngPasses, scanlineBytes, scanlinesToRgb } from './pngScanlines.ts';
import { checkDeclaredSize, checkRgbImage, ImageError, type RgbImage } from './rgbImage.ts';

/** The file's size limits and kind, from IHDR. */
interface PngHeader extends PngKind {
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** @throws ImageError (without format and label, `decodeImage` adds them) */
export function decodePng(bytes: Uint8Array, maxPixels: number): RgbImage {
  let header: PngHeader | undefined;
  let palette = new Uint8Array(0);
  const compressed: Uint8Array[] = [];
  for (const { type, data } of pngChunks(bytes)) {
    if (header === undefined) {
      if (type !== 'IHDR') throw new ImageError(`first chunk is ${type}, expected IHDR`);
      header = readHeader(data);
      checkDeclaredSize(header.width, header.height, maxPixels);
    } else if (type === 'PLTE') {
      if (data.length === 0 || data.length % 3 !== 0 || data.length > 768) {
        throw new ImageError(`PLTE has ${data.length} bytes, expected 3 for each of 1 to 256 colours`);
      }
      palette = data.slice();
    } else if (type === 'IDAT') {
      compressed.push(data);
    }
  }
  if (header === undefined) throw new ImageError('truncated: no IHDR chunk');
  const passes = pngPasses(header.width, header.height, header.interlaced);
  const total = passes.reduce((sum, pass) => sum + pass.height * (1 + scanlineBytes(header, pass.width)), 0);
  return scanlinesToRgb(header, passes, inflate(compressed, total), palette, header.width, header.height);
}

/** Writes 8-bit RGB without alpha, lossless. */
export function encodePng(image: RgbImage): Uint8Array {
  checkRgbImage('encodePng', image);
  return encode({ width: image.width, height: image.height, data: image.data, channels: 3, depth: 8 });
}

/**
 * The chunks up to IEND. A critical chunk with a wrong checksum is an error; a file that merely stops after
 * its last whole chunk is not, since the pixels may all be there (PIL reads such files too).
 */
function* pngChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 8;
  while (offset + 12 <= bytes.length) {
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    const end = offset + 8 + length;
    if (end + 4 > bytes.length) {
      throw new ImageError(
        `truncated: chunk ${type} at byte ${offset} declares ${length} bytes, the file ends after ${bytes.length - offset - 8}`,
      );
    }
    const isCritical = (bytes[offset + 4] & 0x20) === 0;
    if (isCritical && crc32(bytes.subarray(offset + 4, end)) !== view.getUint32(end)) {
      throw new ImageError(`damaged data: checksum of chunk ${type} at byte ${offset} does not match`);
    }
    if (type === 'IEND') return;
    yield { type, data: bytes.subarray(offset + 8, end) };
    offset = end + 4;
  }
}

function readHeader(data: Uint8Array): PngHeader {
  if (data.length !== 13) throw new ImageError(`IHDR has ${data.length} bytes, expected 13`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [depth, colorType, compression, filter, interlace] = data.subarray(8);
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new ImageError(
      `unsupported compression ${compression}, filter ${filter}, interlace ${interlace}; expected 0, 0, 0 or 1`,
    );
  }
  const kind = checkPngKind(colorType, depth);
  return { ...kind, width: view.getUint32(0), height: view.getUint32(4), interlaced: interlace === 1 };
}

/** Deflate makes at most this many bytes of one. */
const MAX_EXPANSION = 1032;

/** The first `total` bytes of the zlib stream whose parts are `compressed`; the rest of it is ignored. */
function inflate(compressed: readonly Uint8Array[], total: number): Uint8Array {
  const available = compressed.reduce((sum, part) => sum + part.length, 0);
  // Told before the output is allocated: a small file cannot ask for a large buffer.
  if (available * MAX_EXPANSION < total) throw shortData(`at most ${available * MAX_EXPANSION}`, total);
  const out = new Uint8Array(total);
  let filled = 0;
  const stream = new Unzlib((part) => {
    const wanted = part.subarray(0, total - filled);
    out.set(wanted, filled);
    filled += wanted.length;
  });
  // A piece inflates to about the picture's own size at the very most.
  const piece = Math.max(1024, Math.ceil(total / MAX_EXPANSION));
  for (const part of compressed) {
    for (let start = 0; start < part.length && filled < total; start += piece) {
      stream.push(part.subarray(start, start + piece));
    }
  }
  if (filled < total) throw shortData(`${filled}`, total);
  return out;
}

function shortData(found: string, total: number): ImageError {
  return new ImageError(
    `truncated: IDAT holds ${found} bytes of scanlines, the declared size needs ${total}`,
  );
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
