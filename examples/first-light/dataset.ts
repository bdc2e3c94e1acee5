/**
 * The picture set: every concept in every style that drew it, on white, with one of the seven shareable styles of each concept held out.
 *
 * `prepareDataset` draws the pictures once and keeps them in `build/` as one binary beside a manifest; `loadDataset` reads
 * them back. A held-out picture shows a known thing in a known style, but this thing in this style was never trained on.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Rng } from 'cogvlm-ts';
import { replaceFile } from 'cogvlm-ts/node';
import { dominantColor } from './color.ts';
import { conceptsByKind, type Kind } from './concepts.ts';
import { emojiKeys, openStyle, styles } from './styles.ts';

/** Side of the stored pictures in pixels. */
export const RASTER_SIZE = 64;

const HELD_OUT_SEED = 2311;
const FORMAT = 4;

/** Pictures that show something else than their name says. */
const wrongPictures = new Set(['snake/emojione-v1']);

/** One picture and what may be asked about it. */
export interface Sample {
  /** Index into `Dataset.concepts`. */
  readonly concept: number;
  readonly style: string;
  /** The name of the thing: the answer to the empty prompt. */
  readonly caption: string;
  readonly kind: Kind;
  /** The colour covering half of the thing or more, where there is one. */
  readonly color?: string;
  /** size × size × 3 bytes, rows first, on white. */
  readonly rgb: Uint8Array;
  readonly size: number;
}

export interface Dataset {
  readonly concepts: readonly string[];
  readonly train: readonly Sample[];
  readonly heldOut: readonly Sample[];
}

/** A question and its short answer; the empty question asks for a caption. */
export interface QuestionAnswer {
  readonly question: string;
  readonly answer: string;
}

type ManifestEntry = Omit<Sample, 'rgb' | 'size'> & { readonly heldOut: boolean };

interface Manifest {
  readonly format: number;
  readonly size: number;
  readonly concepts: readonly string[];
  readonly samples: readonly ManifestEntry[];
}

export const buildFolder = fileURLToPath(new URL('./build/', import.meta.url));
const manifestPath = join(buildFolder, 'dataset.json');
const pixelsPath = join(buildFolder, 'dataset.bin');

/** Everything that can be asked about one picture: its name first, then its kind and, where it has one, its colour. */
export function questionsAbout({
  caption,
  kind,
  color,
}: Pick<Sample, 'caption' | 'kind' | 'color'>): QuestionAnswer[] {
  const asked: QuestionAnswer[] = [
    { question: '', answer: caption },
    { question: 'what kind of thing is this?', answer: kind },
  ];
  if (color !== undefined) asked.push({ question: 'what color is it?', answer: color });
  return asked;
}

const require = createRequire(import.meta.url);

/** What is used of sharp. */
interface Rasterizer {
  resize(width: number, height: number, how: { fit: 'contain'; background: string }): Rasterizer;
  flatten(how: { background: string }): Rasterizer;
  removeAlpha(): Rasterizer;
  toColourspace(name: string): Rasterizer;
  raw(): Rasterizer;
  toBuffer(how: { resolveWithObject: true }): Promise<{ readonly data: Buffer }>;
}

/** Draws a picture on white. @returns RASTER_SIZE² × 3 bytes, rows first */
async function rasterize(art: Buffer, what: string): Promise<Uint8Array> {
  // sharp is only needed here, so that reading a prepared set works, and compiles, without it.
  const sharp: (art: Buffer) => Rasterizer = require('sharp');
  const { data } = await sharp(art)
    .resize(RASTER_SIZE, RASTER_SIZE, { fit: 'contain', background: '#ffffff00' })
    .flatten({ background: '#ffffff' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (data.length !== RASTER_SIZE * RASTER_SIZE * 3)
    throw new Error(`rasterize: ${what} came out as ${data.length} bytes`);
  return new Uint8Array(data);
}

/** Draws the pictures and writes `build/dataset.bin` and `build/dataset.json`. The result depends on nothing but the packages. */
export async function prepareDataset(): Promise<void> {
  const kinds = Object.entries(conceptsByKind).flatMap(([kind, labels]) => labels.map(() => kind as Kind));
  const keys = emojiKeys(Object.values(conceptsByKind).flat());
  const finders = styles.map((style) => ({ style, find: openStyle(style) }));
  const rng = new Rng(HELD_OUT_SEED);
  const samples: ManifestEntry[] = [];
  const pictures: Uint8Array[] = [];
  for (const [concept, key] of keys.entries()) {
    const drawn = finders.flatMap(({ style, find }) => {
      const art = wrongPictures.has(`${key.label}/${style.name}`) ? undefined : find(key);
      return art === undefined ? [] : [{ style, art }];
    });
    if (drawn.length < 3) throw new Error(`prepareDataset: only ${drawn.length} styles draw '${key.label}'`);
    const heldOut = drawn[rng.integer(drawn.length)];
    for (const picture of drawn) {
      const { style, art } = picture;
      const rgb = await rasterize(art, `'${key.label}' in ${style.name}`);
      const color = dominantColor(rgb);
      const about = {
        concept,
        style: style.name,
        caption: key.label,
        kind: kinds[concept],
        heldOut: picture === heldOut,
      };
      samples.push(color === undefined ? about : { ...about, color });
      pictures.push(rgb);
    }
  }
  const manifest: Manifest = {
    format: FORMAT,
    size: RASTER_SIZE,
    concepts: keys.map((k) => k.label),
    samples,
  };
  mkdirSync(buildFolder, { recursive: true });
  await replaceFile(pixelsPath, Buffer.concat(pictures));
  await replaceFile(manifestPath, `${JSON.stringify(manifest)}\n`);
}

/**
 * Reads the prepared pictures.
 *
 * @throws Error where `npm run prepare-data` has not been run, or was run by another version of this file.
 */
export function loadDataset(): Dataset {
  if (!existsSync(manifestPath))
    throw new Error(`loadDataset: ${manifestPath} is missing: run 'npm run prepare-data'`);
  const { format, size, concepts, samples } = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest;
  const pixels = new Uint8Array(readFileSync(pixelsPath));
  const bytes = size * size * 3;
  if (format !== FORMAT || pixels.length !== samples.length * bytes)
    throw new Error(`loadDataset: ${buildFolder} holds another format: run 'npm run prepare-data' again`);
  const rgbAt = (i: number) => pixels.subarray(i * bytes, (i + 1) * bytes);
  const train: Sample[] = [];
  const heldOut: Sample[] = [];
  samples.forEach(({ heldOut: isHeldOut, ...about }, i) => {
    (isHeldOut ? heldOut : train).push({ ...about, rgb: rgbAt(i), size });
  });
  return { concepts, train, heldOut };
}
