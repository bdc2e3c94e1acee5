/** What the cases beside PyTorch do not show: defaults, dtypes, errors of memory, chance. */
import { describe, expect, it } from 'vitest';
import {
  concat,
  dropout,
  einsum,
  oneHot,
  Rng,
  stack,
  Tensor,
  takeAlongAxis,
} from '../../src/tensor/index.ts';

describe('dropout', () => {
  const x = Tensor.ones([1000]);

  it('drops half unless told otherwise, and doubles the rest', () => {
    const y = [...dropout(x, { rng: new Rng(1) }).data];
    expect([...new Set(y)].sort()).toEqual([0, 2]);
    expect(y).toEqual([...dropout(x, { rng: new Rng(1), p: 0.5 }).data]);
  });

  it('keeps what draws p itself', () => {
    const p = new Rng(1).uniform();
    const y = dropout(Tensor.ones([1], { dtype: 'float64' }), { rng: new Rng(1), p });
    expect(y.item()).toBe(1 / (1 - p));
  });

  it('draws nothing where nothing is dropped', () => {
    const rng = new Rng(1);
    expect(dropout(x, { rng, p: 0 })).toBe(x);
    expect(dropout(x, { rng, train: false })).toBe(x);
    expect(rng.uniform()).toBe(new Rng(1).uniform());
  });

  it('refuses less than nothing', () => {
    expect(() => dropout(x, { rng: new Rng(1), p: -0.1 })).toThrow('p: needs 0 ≤ p ≤ 1, got -0.1');
  });
});

describe('einsum', () => {
  const counted = (...shape: number[]) => Tensor.arange(shape.reduce((n, m) => n * m, 1), { dtype: 'float32' }).reshape(...shape); // biome-ignore format: one call

  it('takes diagonals of axes behind others', () => {
    expect([...einsum('bii->bi', counted(2, 2, 2)).data]).toEqual([0, 3, 4, 7]);
    expect([...einsum('bici->bic', counted(1, 2, 2, 2)).data]).toEqual([0, 2, 5, 7]);
  });

  it('broadcasts an axis of size 1, on either side', () => {
    const [one, three] = [Tensor.from([2]), Tensor.from([1, 2, 3])];
    expect([...einsum('i,i->i', one, three).data]).toEqual([2, 4, 6]);
    expect([...einsum('i,i->i', three, one).data]).toEqual([2, 4, 6]);
  });

  it('has dots for no axis', () => {
    expect(einsum('...i->...', Tensor.from([1, 2, 3])).item()).toBe(6);
  });

  it.each([
    ['i,i->i', [counted(2), counted(3)], 'i has size 3, and 2 elsewhere'],
    ['i,ii->i', [counted(3), counted(1, 3)], 'i has size 3, and 1 elsewhere'],
    ['i->i?', [counted(3)], "'i->i?' is more than letters"],
    ['i,i->i', [counted(3), Tensor.zeros([3], { dtype: 'float64' })], 'einsum(operand0, operand1): '],
  ])('%s is refused', (equation, operands, says) => {
    expect(() => einsum(equation, ...operands)).toThrow(says);
  });
});

describe('joining', () => {
  it('is along the first axis where none is named', () => {
    const parts = [Tensor.zeros([2, 3]), Tensor.zeros([2, 3])];
    expect([stack(parts).shape, concat(parts).shape]).toEqual([
      [2, 2, 3],
      [4, 3],
    ]);
  });
});

describe('indexing', () => {
  const index = Tensor.from([2, 0], { dtype: 'int32' });

  it('oneHot is of the dtype that is asked for, float32 where none is', () => {
    expect([oneHot(index, 3).dtype, oneHot(index, 3, { dtype: 'int32' }).dtype]).toEqual([
      'float32',
      'int32',
    ]);
  });

  it('says what is wrong where it is not the index', () => {
    const x = Tensor.from([1, 2, 3]);
    x.dispose();
    expect(() => takeAlongAxis(x, index, 0)).toThrow(
      'the memory of this tensor (float32, 3 elements) was released',
    );
  });
});
