/**
 * cogvlm demo: the shipped model captions pictures it has not seen. They are in MODEL/pictures with a manifest.json:
 *
 *   [{ "file": "apple.png", "caption": "red apple", "kind": "fruit", "style": "noto", "license": "Apache-2.0" }, …]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { RgbImage } from '../data/index.ts';
import { readJson } from '../data/node.ts';
import { collectAnswer } from '../models/cogvlm/index.ts';
import { modelFolder, readConfigJson } from '../models/cogvlm/node.ts';
import { readPicture } from './answer.ts';
import { paint, type Session } from './io.ts';
import { type AnswerCliOptions, addAnswerOptions, loadModel } from './options.ts';
import { table } from './table.ts';
import { thumbnail } from './thumbnail.ts';

interface DemoPicture {
  readonly file: string;
  /** What the picture shows: the caption that counts as right. */
  readonly caption: string;
  readonly kind: string;
  readonly style: string;
  readonly license: string;
}

interface DemoCliOptions extends AnswerCliOptions {
  readonly pictures: boolean;
}

const THUMBNAIL_SIDE = 16;

export function addDemo(program: Command, session: Session): void {
  const command = program
    .command('demo')
    .summary('caption the pictures that come with the model')
    .description(
      'Captions pictures that were held out of training and compares with the truth,\n' +
        'then with the truth of other pictures, to show that it is the picture that decides.',
    )
    .addOption(new Option('--no-pictures', 'do not draw the pictures in the terminal'))
    .option('--json', 'as JSON');
  addAnswerOptions(command).action((options: DemoCliOptions) => demo(session, options));
}

async function demo(session: Session, options: DemoCliOptions): Promise<void> {
  const { maxNewTokens } = options;
  const model = modelFolder(options.model);
  const folder = join(model, 'pictures');
  await readConfigJson(options.model); // first, so that a wrong path is told by what it should hold
  const pictures = await readManifest(join(folder, 'manifest.json'));
  const cogvlm = await loadModel(session, options);
  const images: RgbImage[] = [];
  const captions: string[] = [];
  const begun = performance.now();
  for (const { file } of pictures) {
    const image = await readPicture(join(folder, file));
    images.push(image);
    captions.push((await collectAnswer(cogvlm.caption(image, { maxNewTokens }))).text.trim());
  }
  const secondsPerCaption = (performance.now() - begun) / 1000 / pictures.length;
  const right = pictures.map(({ caption }, i) => captions[i] === caption);
  const count = right.filter(Boolean).length;
  const shuffled = captions.filter(
    (caption, i) => caption === pictures[(i + 1) % pictures.length].caption,
  ).length;
  if (options.json) {
    const rows = pictures.map((picture, i) => ({ ...picture, model: captions[i], right: right[i] }));
    const result = { pictures: rows, right: count, shuffledRight: shuffled, secondsPerCaption };
    session.out(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const [head, ...rows] = table([
    ['picture (style)', 'caption', 'truth', ''],
    ...pictures.map(({ file, style, caption }, i) => [
      `${file} (${style})`,
      captions[i],
      caption,
      right[i] ? '✓' : '✗',
    ]),
  ]);
  const draw = session.trueColor && options.pictures;
  session.out(`${draw ? ' '.repeat(THUMBNAIL_SIDE + 2) : ''}${paint(session, 'bold', head)}\n`);
  for (const [i, row] of rows.entries()) {
    const line = paint(session, right[i] ? 'green' : 'red', row);
    session.out(draw ? besides(thumbnail(images[i], THUMBNAIL_SIDE), line) : `${line}\n`);
  }
  const of = (n: number) => `${n} of ${pictures.length} (${Math.round((100 * n) / pictures.length)} %)`;
  session.out(
    `\n${of(count)} captions right; ${of(shuffled)} when each is compared with another picture's truth; ` +
      `${secondsPerCaption.toFixed(2)} s per caption on ${options.backend}\n${await recorded(model)}`,
  );
}

interface Score {
  readonly right: number;
  readonly of: number;
}

/** What the training record says of all held-out pictures; nothing where there is none. */
async function recorded(model: string): Promise<string> {
  const text = await readFile(join(model, 'training.json'), 'utf8').catch(() => '{}');
  const { heldOut } = JSON.parse(text) as { heldOut?: { caption: Score; shuffledCaption: Score } };
  if (heldOut === undefined) return '';
  const { caption, shuffledCaption } = heldOut;
  const percent = ({ right, of }: Score) => `${right} of ${of} (${((100 * right) / of).toFixed(1)} %)`;
  return `training record, all held-out pictures: ${percent(caption)} right, ${percent(shuffledCaption)} with shuffled pictures\n`;
}

/** The text beside the middle of the picture. */
function besides(picture: readonly string[], text: string): string {
  const middle = Math.floor(picture.length / 2);
  return `${picture.map((line, i) => (i === middle ? `${line}  ${text}` : line)).join('\n')}\n\n`;
}

const FIELDS = ['file', 'caption', 'kind', 'style', 'license'] as const;

/** @throws Error naming the file, the entry and the field */
async function readManifest(path: string): Promise<DemoPicture[]> {
  const json = await readJson(path);
  if (!Array.isArray(json) || json.length === 0) throw new Error(`${path}: expected a list of pictures`);
  for (const [i, entry] of json.entries()) {
    const missing = FIELDS.find((field) => typeof entry?.[field] !== 'string');
    if (missing !== undefined) throw new Error(`${path}: entry ${i}: ${missing} is no text`);
  }
  return json as DemoPicture[];
}
