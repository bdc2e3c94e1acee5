/** Places in text: written, read, in pixels, compared. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Box,
  boundingBox,
  boxFromPixels,
  boxIoU,
  boxToPixels,
  formatGrounding,
  type Point,
  parseGrounding,
} from '../../src/data/boxes.ts';

const thousandth = fc.integer({ min: 0, max: 999 });
const box = fc
  .tuple(thousandth, thousandth, thousandth, thousandth)
  .map(([a, b, c, d]): Box => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]);
const point = fc.tuple(thousandth, thousandth) as fc.Arbitrary<Point>;

describe('formatGrounding', () => {
  it('writes three digits, no blanks, semicolons between', () => {
    expect(formatGrounding([[1, 22, 333, 999]])).toBe('[[001,022,333,999]]');
    expect(
      formatGrounding([
        [0, 0, 1, 1],
        [5, 6],
      ]),
    ).toBe('[[000,000,001,001;005,006]]');
  });

  it.each([
    [[], 'got no box and no point'],
    [[[0, 0, 1, 1000]], '[0, 0, 1, 1000] has 1000'],
    [[[0.5, 0]], 'has 0.5'],
    [[[-1, 0]], 'has -1'],
  ] as [Box[], string][])('refuses %j', (places, says) => {
    expect(() => formatGrounding(places)).toThrow(says);
  });
});

describe('parseGrounding', () => {
  it('reads what formatGrounding writes', () => {
    fc.assert(
      fc.property(
        fc.array(box, { minLength: 1, maxLength: 4 }),
        fc.array(point, { maxLength: 3 }),
        (boxes, points) => {
          const { groups, faults } = parseGrounding(`a thing ${formatGrounding([...boxes, ...points])}.`);
          expect(faults).toEqual([]);
          expect(groups).toMatchObject([{ phrase: 'a thing', boxes, points }]);
        },
      ),
    );
  });

  it('never throws, and never finds what is not there', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('[', ']', '[[', ']]', '1', '1000', ',', ';', ' ', 'a', '\n')),
        (pieces) => {
          const text = pieces.join('');
          for (const { start, end, boxes, points } of parseGrounding(text).groups) {
            expect(text.slice(start, end)).toMatch(/^\[[^\]]*\]\s*\]$/);
            for (const n of [...boxes, ...points].flat()) expect(n).toBeLessThan(1000);
          }
        },
      ),
    );
  });

  it('gives each group the words before it', () => {
    const text = 'In the park, a man [[012,104,498,985]] rides a horse [[220,310,702,999]]. A dog[[1,2,3,4]]';
    expect(parseGrounding(text).groups.map(({ phrase }) => phrase)).toEqual([
      'a man',
      'rides a horse',
      'A dog',
    ]);
  });

  it('keeps both groups of a phrase that comes twice, and says where they stand', () => {
    const text = 'a cup [[001,002,003,004]], a cup [[005,006,007,008]]';
    const { groups } = parseGrounding(text);
    expect(groups.map(({ phrase, boxes }) => [phrase, boxes])).toEqual([
      ['a cup', [[1, 2, 3, 4]]],
      ['a cup', [[5, 6, 7, 8]]],
    ]);
    expect(groups.map(({ start, end }) => text.slice(start, end))).toEqual([
      '[[001,002,003,004]]',
      '[[005,006,007,008]]',
    ]);
  });

  it('is kind to blanks and swapped corners', () => {
    expect(parseGrounding('x [ [ 10, 20 , 5,1 ; 7 ,8] ]').groups).toMatchObject([
      { boxes: [[5, 1, 10, 20]], points: [[7, 8]] },
    ]);
  });

  it.each([
    ['[[1,2,3]]', '1,2,3', '3 numbers are neither a point nor a box'],
    ['[[0.1,0.2,0.3,0.4]]', '0.1,0.2,0.3,0.4', '0.1 is no whole number'],
    ['[[-1,2,3,4]]', '-1,2,3,4', '-1 is no whole number'],
    ['[[1,2,3,1000]]', '1,2,3,1000', '1000 is more than 999 thousandths'],
    ['[[1,,3,4]]', '1,,3,4', 'a number is missing'],
    ['[[]]', '', 'a number is missing'],
    ['a dog [[1,2,3,4', '[[1,2,3,4', 'the brackets are never closed'],
  ])('says what is wrong with %s', (text, part, why) => {
    const { groups, faults } = parseGrounding(text);
    expect(groups).toEqual([]);
    expect(faults).toEqual([{ text: part, start: text.indexOf(part, text.startsWith('[[') ? 2 : 0), why }]);
  });

  it('keeps the good ones of a group with a bad one', () => {
    const text = 'two [[1,2,3,4;5,6,7;8,9,10,11]]';
    const { groups, faults } = parseGrounding(text);
    expect(groups[0].boxes).toEqual([
      [1, 2, 3, 4],
      [8, 9, 10, 11],
    ]);
    expect(faults.map(({ start, text: part }) => text.slice(start, start + part.length))).toEqual(['5,6,7']);
  });
});

describe('pixels', () => {
  const size = { width: 640, height: 480 };

  it('outside moves to the edge, and the last pixel is below 1000', () => {
    expect(boxFromPixels([-5, 0, 640, 480], size)).toEqual([0, 0, 998, 997]);
    expect(boxFromPixels([0, 0, 1e6, 1e6], { width: 1e5, height: 1e5 })).toEqual([0, 0, 999, 999]);
  });

  it('there and back is at most one step of a thousandth off', () => {
    fc.assert(
      fc.property(
        box,
        fc.integer({ min: 1, max: 4000 }),
        fc.integer({ min: 1, max: 4000 }),
        (one, width, height) => {
          const back = boxFromPixels(boxToPixels(one, { width, height }), { width, height });
          for (const i of [0, 1, 2, 3]) {
            const step = Math.ceil(1000 / (i % 2 === 0 ? width : height));
            expect(Math.abs(back[i] - one[i])).toBeLessThanOrEqual(step);
          }
        },
      ),
    );
  });

  it('refuses an empty picture, and corners that are no numbers', () => {
    expect(() => boxFromPixels([0, 0, 1, 1], { width: 0, height: 2 })).toThrow('the picture is 0 × 2');
    expect(() => boxFromPixels([0, Number.NaN, 1, 1], size)).toThrow('corners are [0, NaN, 1, 1]');
  });
});

describe('boxes beside each other', () => {
  it('IoU is of continuous areas', () => {
    expect(boxIoU([0, 0, 10, 10], [0, 0, 10, 10])).toBe(1);
    expect(boxIoU([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3, 15);
    expect(boxIoU([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
    expect(boxIoU([3, 3, 3, 3], [3, 3, 3, 3])).toBe(0);
  });

  it('IoU is symmetric, and between 0 and 1', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        const iou = boxIoU(a, b);
        expect(iou).toBe(boxIoU(b, a));
        expect(iou >= 0 && iou <= 1).toBe(true);
      }),
    );
  });

  it('the bounding box holds all of them', () => {
    expect(
      boundingBox([
        [10, 20, 30, 40],
        [5, 25, 12, 90],
      ]),
    ).toEqual([5, 20, 30, 90]);
    expect(() => boundingBox([])).toThrow('got no boxes');
  });
});
