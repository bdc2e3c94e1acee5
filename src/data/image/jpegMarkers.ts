/**
 * The marker segments of a JPEG file (ITU-T T.81 annex B): what the picture is, and which parts are needed to
 * decode it. Reading stops at the end-of-image marker; a file without one is truncated, as it is for PIL.
 */

import { ImageError } from './rgbImage.ts';

export interface JpegComponent {
  readonly id: number;
  /** Sampling factors: blocks per MCU across and down. */
  readonly h: number;
  readonly v: number;
}

export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
  /** Offset in the file of the first component's sampling byte. */
  readonly samplingOffset: number;
}

export interface JpegStructure {
  readonly frame: JpegFrame;
  readonly hasJfif: boolean;
  /** Colour transform of the Adobe APP14 segment, or undefined where there is none. */
  readonly adobeTransform: number | undefined;
  /** Byte ranges [start, end) after SOI that decoding needs: all but APPn and COM segments, through EOI. */
  readonly needed: readonly (readonly [start: number, end: number])[];
}

const SOS = 0xda;
const EOI = 0xd9;
const COM = 0xfe;
const APP0 = 0xe0;
const APP14 = 0xee;

/**
 * Walks the segments. `onFrame` sees the frame header as soon as it is read.
 * @throws ImageError for a broken segment structure, an unsupported coding, or a missing end
 */
export function readJpegStructure(bytes: Uint8Array, onFrame: (frame: JpegFrame) => void): JpegStructure {
  let frame: JpegFrame | undefined;
  let hasJfif = false;
  let adobeTransform: number | undefined;
  let hasScan = false;
  const needed: [number, number][] = [];
  let offset = 2;
  while (true) {
    const start = offset;
    while (bytes[offset] === 0xff && bytes[offset + 1] === 0xff) offset++; // fill bytes
    if (offset + 2 > bytes.length) throw truncated(bytes, hasScan ? 'no end-of-image marker' : 'no scan');
    const marker = bytes[offset + 1];
    if (bytes[offset] !== 0xff) throw new ImageError(`damaged data: no marker at byte ${start}`);
    if (marker === EOI) {
      needed.push([offset, offset + 2]);
      break;
    }
    const length = (bytes[offset + 2] << 8) | bytes[offset + 3];
    const end = offset + 2 + length;
    const name = `segment ff${marker.toString(16).padStart(2, '0')} at byte ${offset}`;
    if (!(end <= bytes.length)) throw truncated(bytes, `${name} declares ${length} bytes`);
    if (length < 2) throw new ImageError(`damaged data: ${name} declares ${length} bytes`);
    const body = bytes.subarray(offset + 4, end);
    if (isFrameMarker(marker)) {
      if (frame !== undefined) throw new ImageError('unsupported: more than one frame');
      frame = readFrame(marker, body, offset + 4);
      onFrame(frame);
    } else if (marker === APP0) {
      hasJfif ||= body.length >= 12 && startsWith(body, 'JFIF\0');
    } else if (marker === APP14 && body.length >= 12 && startsWith(body, 'Adobe')) {
      adobeTransform = body[11];
    }
    const isApplicationData = (marker >= APP0 && marker <= 0xef) || marker === COM;
    offset = marker === SOS ? entropyEnd(bytes, end) : end;
    hasScan ||= marker === SOS;
    if (!isApplicationData) needed.push([start, offset]);
  }
  if (frame === undefined || !hasScan)
    throw new ImageError('damaged data: no frame or no scan before the end');
  return { frame, hasJfif, adobeTransform, needed };
}

function truncated(bytes: Uint8Array, what: string): ImageError {
  return new ImageError(`truncated: ${what}, the file ends after ${bytes.length} bytes`);
}

function startsWith(body: Uint8Array, text: string): boolean {
  return [...text].every((letter, i) => body[i] === letter.charCodeAt(0));
}

/** SOF0 … SOF15 without DHT (c4), JPG (c8) and DAC (cc), which share the range. */
function isFrameMarker(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(marker: number, body: Uint8Array, bodyOffset: number): JpegFrame {
  if (marker > 0xc2) {
    throw new ImageError(
      `unsupported coding SOF${marker - 0xc0}; expected Huffman-coded baseline, extended or progressive (SOF0 to 2)`,
    );
  }
  const count = body[5];
  if (body.length < 6 || body.length < 6 + 3 * count) {
    throw new ImageError(
      `damaged data: frame header of ${body.length} bytes for ${count ?? 'no'} components`,
    );
  }
  if (body[0] !== 8) throw new ImageError(`unsupported: ${body[0]} bits per sample, expected 8`);
  if (count !== 1 && count !== 3 && count !== 4) {
    throw new ImageError(`unsupported: ${count} components, expected 1, 3 or 4`);
  }
  const components = Array.from({ length: count }, (_, i) => {
    const [id, sampling] = body.subarray(6 + 3 * i);
    return { id, h: sampling >> 4, v: sampling & 15 };
  });
  for (const { id, h, v } of components) {
    if (h < 1 || h > 4 || v < 1 || v > 4) {
      throw new ImageError(`damaged data: component ${id} has sampling ${h} x ${v}, expected 1 to 4`);
    }
  }
  const height = (body[1] << 8) | body[2];
  const width = (body[3] << 8) | body[4];
  return { width, height, components, samplingOffset: bodyOffset + 7 };
}

/** Where entropy-coded data that begins at `offset` ends: at the first marker that is not a restart. */
function entropyEnd(bytes: Uint8Array, offset: number): number {
  for (let i = offset; i + 1 < bytes.length; i++) {
    if (bytes[i] !== 0xff) continue;
    const next = bytes[i + 1];
    const isStuffedOrRestart = next === 0 || (next >= 0xd0 && next <= 0xd7);
    if (!isStuffedOrRestart && next !== 0xff) return i;
  }
  throw truncated(bytes, 'no end-of-image marker');
}
