/** Reads `spec/goldens/preprocess` and `spec/goldens/images`. */

import { readFileSync } from 'node:fs';
import type { RgbImage } from '../../src/data/image/index.ts';

const folder = new URL('../goldens/', import.meta.url);

export function golden(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, folder)));
}

function goldenJson<T>(path: string): T {
  return JSON.parse(new TextDecoder().decode(golden(path))) as T;
}

/** The F32 tensors of a safetensors file: 8-byte header length, JSON header, data. */
export function goldenTensors(path: string): Map<string, { shape: number[]; data: Float32Array }> {
  const bytes = golden(path);
  const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, headerEnd))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (dtype !== 'F32') continue;
    const [start, end] = data_offsets.map((offset) => offset + headerEnd);
    tensors.set(name, { shape, data: new Float32Array(bytes.slice(start, end).buffer) });
  }
  return tensors;
}

/** Pictures with the pixel values PIL and torchvision make of them, at several sizes. */
export const preprocessCases = goldenJson<{ file: string; kind: string; sizes: number[] }[]>(
  'preprocess/manifest.json',
).flatMap(({ file, kind, sizes }) => sizes.map((size) => ({ file, kind, size })));

interface ImagesManifest {
  files: { file: string; width: number; height: number; offset: number; mode: string }[];
  resizeSource: { width: number; height: number };
  resized: { width: number; height: number; offset: number }[];
}

const manifest = goldenJson<ImagesManifest>('images/manifest.json');

function slicePixels(all: Uint8Array, width: number, height: number, offset: number): RgbImage {
  return { width, height, data: all.slice(offset, offset + width * height * 3) };
}

const expected = golden('images/expected.rgb');
/** One file of each kind with the pixels PIL reads from it. */
export const imageFiles = manifest.files.map(({ file, mode, width, height, offset }) => ({
  file,
  mode,
  pixels: slicePixels(expected, width, height, offset),
}));

const { resizeSource } = manifest;
export const resizeInput = slicePixels(
  golden('images/resize-source.rgb'),
  resizeSource.width,
  resizeSource.height,
  0,
);
const resized = golden('images/resized.rgb');
export const resizeOutputs = manifest.resized.map(({ width, height, offset }) =>
  slicePixels(resized, width, height, offset),
);

/** Greatest and mean absolute difference. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): { max: number; mean: number } {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  let max = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    max = Math.max(max, d);
    sum += d;
  }
  return { max, mean: sum / a.length };
}
