/**
 * PNG scanlines to RGB: undo the filters (PNG §9), read samples of 1 to 16 bits (§7.2), place the pixels of
 * each Adam7 pass (§8.1), and convert them as PIL's `convert("RGB")` does:
 *
 *   grey 1, 2, 4 bits    stretched to 0…255 (times 255, 85, 17)
 *   grey 16 bits         PIL mode "I": CLIPPED at 255, so almost every 16-bit grey picture turns white
 *   RGB(A), LA 16 bits   the high byte
 *   palette              a missing entry i is the grey (i, i, i)
 *   alpha                dropped
 */

import { ImageError, type RgbImage } from './rgbImage.ts';

export interface PngKind {
  readonly colorType: number;
  /** Bits per sample. */
  readonly depth: number;
  /** Samples per pixel. */
  readonly channels: number;
}

/** One picture inside the file: pixel (x, y) of the pass is pixel (x0 + x·dx, y0 + y·dy) of the whole. */
export interface PngPass {
  readonly width: number;
  readonly height: number;
  readonly x0: number;
  readonly y0: number;
  readonly dx: number;
  readonly dy: number;
}

const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGB_ALPHA = 6;

/** Colour type → samples per pixel and allowed depths (PNG table 11.1). */
const KINDS: Readonly<Record<number, readonly [channels: number, depths: readonly number[]]>> = {
  [GREY]: [1, [1, 2, 4, 8, 16]],
  [RGB]: [3, [8, 16]],
  [PALETTE]: [1, [1, 2, 4, 8]],
  [GREY_ALPHA]: [2, [8, 16]],
  [RGB_ALPHA]: [4, [8, 16]],
};

/** Adam7: x0, y0, dx, dy of the seven passes. */
const ADAM7: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** @throws ImageError for a colour type and depth PNG does not have */
export function checkPngKind(colorType: number, depth: number): PngKind {
  const [channels, depths] = KINDS[colorType] ?? [0, []];
  if (!depths.includes(depth))
    throw new ImageError(`invalid colour type ${colorType} with ${depth} bits per sample`);
  return { colorType, depth, channels };
}

/** The passes that hold pixels, in file order. */
export function pngPasses(width: number, height: number, interlaced: boolean): PngPass[] {
  if (!interlaced) return [{ width, height, x0: 0, y0: 0, dx: 1, dy: 1 }];
  return ADAM7.map(([x0, y0, dx, dy]) => ({
    width: Math.ceil((width - x0) / dx),
    height: Math.ceil((height - y0) / dy),
    x0,
    y0,
    dx,
    dy,
  })).filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes of one scanline without its filter byte. */
export function scanlineBytes(kind: PngKind, width: number): number {
  return Math.ceil((width * kind.channels * kind.depth) / 8);
}

/** Undoes the filters in place in `raw`, then converts every pass. `palette` is [n, 3] bytes. */
export function scanlinesToRgb(
  kind: PngKind,
  passes: readonly PngPass[],
  raw: Uint8Array,
  palette: Uint8Array,
  width: number,
  height: number,
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  const colors = kind.colorType === PALETTE ? fullPalette(palette) : greyLevels(kind.depth);
  const pixelBytes = Math.max(1, (kind.channels * kind.depth) >> 3);
  let offset = 0;
  for (const pass of passes) {
    const bytes = scanlineBytes(kind, pass.width);
    let above: Uint8Array = new Uint8Array(bytes);
    for (let y = 0; y < pass.height; y++) {
      const line = raw.subarray(offset + 1, offset + 1 + bytes);
      unfilter(raw[offset], line, above, pixelBytes);
      const target = ((pass.y0 + y * pass.dy) * width + pass.x0) * 3;
      lineToRgb(kind, line, colors, pass.width, data, target, pass.dx * 3);
      above = line;
      offset += 1 + bytes;
    }
  }
  return { width, height, data };
}

/** Filters predict a byte from a (left), b (above) and c (above left); bytes add modulo 256. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  const n = line.length;
  if (filter === 0) return;
  if (filter === 1) {
    for (let i = pixelBytes; i < n; i++) line[i] += line[i - pixelBytes];
  } else if (filter === 2) {
    for (let i = 0; i < n; i++) line[i] += above[i];
  } else if (filter === 3) {
    for (let i = 0; i < n; i++) {
      const a = i < pixelBytes ? 0 : line[i - pixelBytes];
      line[i] += (a + above[i]) >> 1;
    }
  } else if (filter === 4) {
    for (let i = 0; i < n; i++) {
      const a = i < pixelBytes ? 0 : line[i - pixelBytes];
      const c = i < pixelBytes ? 0 : above[i - pixelBytes];
      line[i] += paeth(a, above[i], c);
    }
  } else {
    throw new ImageError(`damaged data: scanline filter ${filter}, expected 0 to 4`);
  }
}

/** The neighbour closest to a + b − c, in the order a, b, c. */
function paeth(a: number, b: number, c: number): number {
  const toA = Math.abs(b - c);
  const toB = Math.abs(a - c);
  const toC = Math.abs(a + b - 2 * c);
  if (toA <= toB && toA <= toC) return a;
  return toB <= toC ? b : c;
}

function lineToRgb(
  { colorType, depth, channels }: PngKind,
  line: Uint8Array,
  colors: Uint8Array,
  width: number,
  out: Uint8Array,
  start: number,
  step: number,
): void {
  // In 16-bit samples the high byte comes first, so stepping over two bytes a sample reads the high ones.
  const sample = depth === 16 ? 2 : 1;
  const pixel = channels * sample;
  const isColor = colorType === RGB || colorType === RGB_ALPHA;
  const isDeepGrey = colorType === GREY && depth === 16;
  const isLookup = !isColor && channels === 1 && depth <= 8;
  const mask = (1 << depth) - 1;
  for (let x = 0, to = start; x < width; x++, to += step) {
    const at = x * pixel;
    if (isColor) {
      out[to] = line[at];
      out[to + 1] = line[at + sample];
      out[to + 2] = line[at + 2 * sample];
    } else if (isLookup) {
      const bit = x * depth;
      const index = ((line[bit >> 3] >> (8 - depth - (bit & 7))) & mask) * 3;
      out[to] = colors[index];
      out[to + 1] = colors[index + 1];
      out[to + 2] = colors[index + 2];
    } else {
      out.fill(isDeepGrey && line[at] > 0 ? 255 : line[isDeepGrey ? at + 1 : at], to, to + 3);
    }
  }
}

/** [256, 3] bytes: the palette over a grey ramp, which PIL shows for an index without an entry. */
function fullPalette(palette: Uint8Array): Uint8Array {
  const colors = greyLevels(8);
  colors.set(palette);
  return colors;
}

/** [2^depth, 3] bytes: grey level i stretched to 0…255. Empty for 16 bits, where no table is used. */
function greyLevels(depth: number): Uint8Array {
  if (depth > 8) return new Uint8Array(0);
  const top = (1 << depth) - 1;
  const levels = new Uint8Array(256 * 3);
  for (let i = 0; i <= top; i++) levels.fill((i * 255) / top, i * 3, i * 3 + 3);
  return levels;
}
