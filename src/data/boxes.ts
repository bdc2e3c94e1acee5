/**
 * Places in a picture as CogVLM writes them into text (§2.3, grounding): behind the words that they belong to, as thousandths of
 * width and height from the top left corner, three digits each, several of one phrase parted by semicolons:
 *
 *   a man [[012,104,498,985]] riding a horse [[220,310,702,999;705,320,900,990]]
 *
 * A point is [[x,y]], as CogCoM writes it.
 */

/** Corners in thousandths, 0…999: left, top, right, bottom. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** In thousandths, 0…999. */
export type Point = readonly [x: number, y: number];

/** Width and height in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What stands between one pair of double brackets. */
export interface Grounding {
  /** The words in front, from the bracket, full stop or comma before on: what the boxes belong to. */
  readonly phrase: string;
  readonly boxes: readonly Box[];
  readonly points: readonly Point[];
  /** Places of the brackets in the text: from `start` up to, not with, `end`. */
  readonly start: number;
  readonly end: number;
}

/** A part of a group that is neither a box nor a point. */
export interface GroundingFault {
  /** As it stands in the text. */
  readonly text: string;
  readonly start: number;
  readonly why: string;
}

export interface ParsedGrounding {
  readonly groups: readonly Grounding[];
  readonly faults: readonly GroundingFault[];
}

const LARGEST = 999;

const digits = (n: number): string => String(n).padStart(3, '0');

function requireThousandths(op: string, numbers: readonly number[]): void {
  const wrong = numbers.find((n) => !Number.isInteger(n) || n < 0 || n > LARGEST);
  if (wrong === undefined) return;
  throw new RangeError(
    `${op}: [${numbers.join(', ')}] has ${wrong}, expected whole numbers from 0 to ${LARGEST}`,
  );
}

/**
 * Boxes and points of one phrase as text.
 * @throws RangeError where there are none, or a number is no thousandth
 */
export function formatGrounding(places: readonly (Box | Point)[]): string {
  if (places.length === 0)
    throw new RangeError('formatGrounding: got no box and no point, expected at least one');
  for (const place of places) requireThousandths('formatGrounding', place);
  return `[[${places.map((place) => place.map(digits).join(',')).join(';')}]]`;
}

/**
 * All groups of a text, in their order, and what stands in brackets and cannot be read. Blanks are allowed everywhere; a box
 * whose corners are swapped is put in order. (The original's reader drops a box with a blank in it without a word, and keeps
 * only the last group of a phrase that comes twice.)
 */
export function parseGrounding(text: string): ParsedGrounding {
  const groups: Grounding[] = [];
  const faults: GroundingFault[] = [];
  let after = 0;
  for (const match of text.matchAll(/\[\s*\[([^[\]]*)\]\s*\]/g)) {
    const [whole, content] = match;
    const start = match.index;
    const phrase = phraseBefore(text.slice(after, start));
    after = start + whole.length;
    const boxes: Box[] = [];
    const points: Point[] = [];
    let at = start + whole.indexOf(content, whole.lastIndexOf('[') + 1);
    for (const part of content.split(';')) {
      const read = readPlace(part);
      if (typeof read === 'string') faults.push({ text: part, start: at, why: read });
      else if (read.length === 2) points.push(read);
      else boxes.push(read);
      at += part.length + 1;
    }
    if (boxes.length + points.length > 0) groups.push({ phrase, boxes, points, start, end: after });
  }
  const open = text.indexOf('[[', after);
  if (open >= 0) faults.push({ text: text.slice(open), start: open, why: 'the brackets are never closed' });
  return { groups, faults };
}

/** A place, or what is wrong with it. */
function readPlace(part: string): Box | Point | string {
  const numbers = part.split(',').map((number) => number.trim());
  const strange = numbers.find((number) => !/^\d+$/.test(number));
  if (strange !== undefined) return strange === '' ? 'a number is missing' : `${strange} is no whole number`;
  const values = numbers.map(Number);
  const large = values.find((value) => value > LARGEST);
  if (large !== undefined) return `${large} is more than ${LARGEST} thousandths`;
  if (values.length === 2) return [values[0], values[1]];
  if (values.length !== 4) return `${values.length} numbers are neither a point nor a box`;
  const [x0, y0, x1, y1] = values;
  return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
}

/** The words since the last mark that ends a clause. */
function phraseBefore(text: string): string {
  const words = text.trimEnd();
  const clause = Math.max(
    ...['.', ',', ';', ':', '!', '?', '\n'].map((mark) => words.lastIndexOf(mark, words.length - 2)),
  );
  return words.slice(clause + 1).trim();
}

/**
 * Pixels to thousandths, as the training data was written: what is outside is moved to the edge, then cut to whole thousandths.
 * @param corners left, top, right, bottom in pixels
 * @throws RangeError where the picture is empty or a corner is no number
 */
export function boxFromPixels(corners: readonly [number, number, number, number], size: PictureSize): Box {
  const { width, height } = size;
  if (!(width > 0 && height > 0)) throw new RangeError(`boxFromPixels: the picture is ${width} × ${height}`);
  if (!corners.every(Number.isFinite))
    throw new RangeError(`boxFromPixels: corners are [${corners.join(', ')}], expected four numbers`);
  const thousandths = (pixel: number, extent: number): number =>
    Math.min(LARGEST, Math.floor((1000 * Math.min(Math.max(pixel, 0), extent - 1)) / extent));
  const [x0, y0, x1, y1] = corners;
  return [thousandths(x0, width), thousandths(y0, height), thousandths(x1, width), thousandths(y1, height)];
}

/** Thousandths to whole pixels, as the original draws them. */
export function boxToPixels(box: Box, { width, height }: PictureSize): [number, number, number, number] {
  const [x0, y0, x1, y1] = box;
  const pixel = (n: number, extent: number) => Math.floor((n * extent) / 1000);
  return [pixel(x0, width), pixel(y0, height), pixel(x1, width), pixel(y1, height)];
}

/** Area of what two boxes share, over that of what they cover together; 0 where neither has an area. */
export function boxIoU(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(0, width) * Math.max(0, height);
  const area = ([x0, y0, x1, y1]: Box) => (x1 - x0) * (y1 - y0);
  const union = area(a) + area(b) - shared;
  return union === 0 ? 0 : shared / union;
}

/** The smallest box around all: what several boxes of one answer count as when one is asked for. @throws RangeError of none */
export function boundingBox(boxes: readonly Box[]): Box {
  if (boxes.length === 0) throw new RangeError('boundingBox: got no boxes, expected at least one');
  const least = (i: number) => Math.min(...boxes.map((box) => box[i]));
  const most = (i: number) => Math.max(...boxes.map((box) => box[i]));
  return [least(0), least(1), most(2), most(3)];
}
