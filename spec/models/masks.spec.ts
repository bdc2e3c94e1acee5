/** Expert mask and position ids by the released rules, as tables. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionIds, visionExpertMask } from '../../src/models/cogvlm/index.ts';

/** "0 1 1" → [0, 1, 1] */
const row = (text: string): number[] => text.trim().split(/\s+/).map(Number);
/** "L V" → [false, true] */
const experts = (text: string): boolean[] =>
  text
    .trim()
    .split(/\s+/)
    .map((c) => c === 'V');

interface Table {
  readonly name: string;
  readonly type: string;
  readonly mask?: string;
  readonly expert: string;
  readonly position: string;
}

const TABLES: readonly Table[] = [
  {
    name: 'bos, a picture of four tokens, two of text',
    //         bos boi i1 i2 i3 i4 eoi t1 t2
    type: '     0   1   1  1  1  1  1   0  0',
    expert: '   L   V   V  V  V  V  L   L  L',
    position: ' 0   1   2  2  2  2  3   4  5',
  },
  {
    name: 'text alone counts 1 per token',
    type: '     0 0 0 0',
    expert: '   L L L L',
    position: ' 0 1 2 3',
  },
  {
    name: 'left padding: pads at 0, bos at 1',
    //         pad pad bos boi i1 i2 eoi t1
    type: '     0   0   0   1   1  1  1   0',
    mask: '     0   0   1   1   1  1  1   1',
    expert: '   L   L   L   V   V  V  L   L',
    position: ' 0   0   1   2   3  3  4   5',
  },
  {
    name: 'left padding without a picture',
    type: '     0 0 0 0',
    mask: '     0 0 1 1',
    expert: '   L L L L',
    position: ' 0 0 1 2',
  },
  {
    name: 'right padding: pads repeat the last position',
    //         bos boi i1 i2 eoi t1 pad pad
    type: '     0   1   1  1  1   0  0   0',
    mask: '     1   1   1  1  1   1  0   0',
    expert: '   L   V   V  V  L   L  L   L',
    position: ' 0   1   2  2  3   4  4   4',
  },
  {
    name: 'boi at the front of the row',
    //         boi i1 i2 eoi t1
    type: '     1   1  1  1   0',
    expert: '   V   V  V  L   L',
    position: ' 0   1  1  2   3',
  },
  {
    name: 'eoi at the end of the row',
    //         bos boi i1 i2 eoi
    type: '     0   1   1  1  1',
    expert: '   L   V   V  V  L',
    position: ' 0   1   2  2  3',
  },
  {
    name: 'two pictures with text between',
    //         bos boi i1 i2 eoi t1 boi i1 i2 eoi t2
    type: '     0   1   1  1  1   0  1   1  1  1   0',
    expert: '   L   V   V  V  L   L  V   V  V  L   L',
    position: ' 0   1   2  2  3   4  5   6  6  7   8',
  },
  {
    name: 'two pictures side by side (no official layout): the inner eoi is a vision token, one position for all',
    //         bos boi i1 eoi boi i1 eoi t1
    type: '     0   1   1  1   1   1  1   0',
    expert: '   L   V   V  V   V   V  L   L',
    position: ' 0   1   2  2   2   2  3   4',
  },
  {
    name: 'a picture beside a pad is not relabelled',
    //         pad boi i1 i2 eoi t1
    type: '     0   1   1  1  1   0',
    mask: '     0   1   1  1  1   1',
    expert: '   L   V   V  V  L   L',
    position: ' 0   0   0  0  1   2',
  },
  {
    name: 'nor is an eoi before a pad: it keeps the position of its picture',
    //         bos boi i1 i2 eoi pad
    type: '     0   1   1  1  1   0',
    mask: '     1   1   1  1  1   0',
    expert: '   L   V   V  V  L   L',
    position: ' 0   1   2  2  2   2',
  },
  { name: 'one token', type: '0', expert: 'L', position: '0' },
];

describe('tables', () => {
  it.each(TABLES)('$name', ({ type, mask, expert, position }) => {
    expect(visionExpertMask(row(type))).toEqual(experts(expert));
    expect(positionIds(row(type), mask === undefined ? undefined : row(mask))).toEqual(row(position));
  });
});

describe('rules', () => {
  const anyTypes = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 30 });

  it('a mask of ones is no mask', () => {
    const property = fc.property(anyTypes, (types) => {
      expect(
        positionIds(
          types,
          types.map(() => 1),
        ),
      ).toEqual(positionIds(types));
    });
    fc.assert(property, { seed: 1 });
  });

  it('positions never fall and rise by at most 1; the last token of a row is never a vision token', () => {
    const property = fc.property(anyTypes, (types) => {
      const positions = positionIds(types);
      for (let t = 1; t < types.length; t++) expect([0, 1]).toContain(positions[t] - positions[t - 1]);
      expect(visionExpertMask(types).at(-1)).toBe(false);
    });
    fc.assert(property, { seed: 1 });
  });

  it('one more token of text is at the next position, and changes nothing before it', () => {
    const property = fc.property(anyTypes, (types) => {
      const [before, after] = [positionIds(types), positionIds([...types, 0])];
      expect(after).toEqual([...before, before[before.length - 1] + 1]);
      expect(visionExpertMask([...types, 0]).slice(0, -1)).toEqual(visionExpertMask(types));
    });
    fc.assert(property, { seed: 1 });
  });

  it('left padding shifts every position by 1', () => {
    // A conversation begins with bos, which is text.
    const property = fc.property(anyTypes, fc.integer({ min: 1, max: 5 }), (types, pads) => {
      const all = [...new Array<number>(pads).fill(0), 0, ...types];
      const mask = all.map((_, t) => Number(t >= pads));
      const alone = positionIds([0, ...types]);
      expect(positionIds(all, mask).slice(pads)).toEqual(alone.map((p) => p + 1));
    });
    fc.assert(property, { seed: 1 });
  });
});
