/** expectShape: letters are sizes, the same wherever they stand, and what does not fit is told with them. */
import { describe, expect, it } from 'vitest';
import { Linear } from '../../src/nn/index.ts';
import { expectShape, ShapeError, Tensor } from '../../src/tensor/index.ts';

const as = { op: 'Block', argument: 'x' };
const zeros = (...shape: number[]) => Tensor.zeros(shape);

describe('expectShape', () => {
  it('gives the sizes of the letters, with those that were bound before', () => {
    const sizes = expectShape(zeros(2, 3, 4), 'B T D', as);
    expect(sizes).toEqual({ B: 2, T: 3, D: 4 });
    expect(expectShape(zeros(2, 5, 4), 'B S D', { ...as, sizes })).toEqual({ B: 2, T: 3, D: 4, S: 5 });
    expect(sizes).toEqual({ B: 2, T: 3, D: 4 });
  });

  it('takes any number of axes for ..., none too', () => {
    for (const x of [zeros(4), zeros(3, 4), zeros(1, 2, 3, 4)])
      expect(expectShape(x, '... D', { ...as, sizes: { D: 4 } })).toEqual({ D: 4 });
    expect(() => expectShape(zeros(), '... D', as)).toThrow(
      'Block(x): x: needs shape [...,D]: x is float32[]',
    );
  });

  it('says what came and what was expected, with the letters that are bound', () => {
    expect(() => expectShape(zeros(2, 3), 'B T D', as)).toThrow(
      'Block(x): x: needs shape [B,T,D]: x is float32[2,3].',
    );
    expect(() => expectShape(zeros(2, 3, 5), 'B T D', { ...as, sizes: { B: 2, D: 4 } })).toThrow(
      'Block(x): x: needs shape [B,T,D] with B = 2, D = 4 (axis 2): x is float32[2,3,5].',
    );
    expect(() => expectShape(zeros(2, 3), 'T T', { ...as, hint: 'square it.' })).toThrow(
      'Block(x): x: needs shape [T,T] with T = 2 (axis 1): x is float32[2,3]. Hint: square it.',
    );
    expect(() => expectShape(zeros(2), 'B T', as)).toThrow(ShapeError);
  });

  it('is asked at the door of a module, which names itself', () => {
    const linear = new Linear({ inFeatures: 2, outFeatures: 1, bias: false });
    expect(() => linear.call(zeros(1, 3))).toThrow('Linear(x): x: needs shape [...,in] with in = 2 (axis 1)');
  });
});
