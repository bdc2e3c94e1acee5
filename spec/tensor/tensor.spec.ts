/** The tensor itself: making, looking, views on one buffer, dtypes. Mathematics is in ops.spec.ts. */
import fc from 'fast-check';
import ndarray from 'ndarray';
import { afterEach, describe, expect, it } from 'vitest';
import { cpu, createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { concat, DTypeError, Rng, ShapeError, setBackend, Tensor, where } from '../../src/tensor/index.ts';
import { gradcheck } from '../../src/verify/gradcheck.ts';

const grid = (shape: readonly number[]): Tensor =>
  Tensor.fromArray(
    Array.from({ length: shape.reduce((n, m) => n * m, 1) }, (_, i) => i),
    shape,
  );

/** The numbers of a tensor, element by element through its strides: independent of `.data`. */
function walked(x: Tensor): number[] {
  const whole = new Tensor(x.backend, {
    buffer: x.view.buffer,
    shape: [x.view.buffer.length],
    strides: [1],
    offset: 0,
  }).data;
  const found: number[] = [];
  const walk = (axis: number, at: number): void => {
    if (axis === x.rank) found.push(whole[at]);
    else for (let i = 0; i < x.shape[axis]; i++) walk(axis + 1, at + i * x.view.strides[axis]);
  };
  walk(0, x.view.offset);
  return found;
}

afterEach(() => setBackend(cpu));

describe('making', () => {
  it('takes nested arrays, float32 unless told', () => {
    const x = Tensor.from([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([x.shape, x.dtype, x.rank, x.size]).toEqual([[2, 3], 'float32', 2, 6]);
    expect(Array.from(x.data)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Tensor.from(7).shape).toEqual([]);
    expect(Tensor.from([]).shape).toEqual([0]);
    expect(Tensor.from([[], []]).shape).toEqual([2, 0]);
  });

  it.each([
    ['a short row', [[1, 2], [3]], 1],
    ['a number among rows', [[1], 2], 1],
    ['a row among numbers', [1, [2]], 1],
    ['a deep short row', [[[1, 2]], [[1]]], 2],
  ])('refuses ragged input: %s', (_, values, axis) => {
    expect(() => Tensor.from(values)).toThrow(
      new ShapeError({
        op: 'Tensor.from',
        argument: 'values',
        axis,
        got: {},
        rule: 'nested arrays are ragged',
      }),
    );
  });

  it('refuses numbers that do not fill the shape', () => {
    expect(() => Tensor.fromArray([1, 2, 3], [2, 2])).toThrow(
      'Tensor.fromArray(): values: 3 numbers do not fill the shape [2,2].',
    );
  });

  it('copies its input', () => {
    const values = Float32Array.of(1, 2);
    const x = Tensor.fromArray(values, [2]);
    values[0] = 9;
    x.data[1] = 9;
    expect(Array.from(x.data)).toEqual([1, 2]);
  });

  it('fills, counts and draws', () => {
    expect(Array.from(Tensor.full([2], 2.5).data)).toEqual([2.5, 2.5]);
    expect(Array.from(Tensor.zeros([1, 2], { dtype: 'float64' }).data)).toEqual([0, 0]);
    expect(Tensor.ones([2], { dtype: 'bool' }).data).toEqual(Uint8Array.of(1, 1));
    expect(Tensor.arange(3).data).toEqual(Int32Array.of(0, 1, 2));
    expect(Tensor.arange(2, { dtype: 'float64' }).data).toEqual(Float64Array.of(0, 1));
    const drawn = Tensor.uniform([200], new Rng(3), -2, -1).data;
    expect(drawn.every((v) => v >= -2 && v < -1)).toBe(true);
    expect(Tensor.randn([2, 2], new Rng(5)).data).toEqual(Tensor.randn([2, 2], new Rng(5)).data);
  });

  it('refuses a dtype that the backend does not compute in', async () => {
    await setBackend({ ...createCpuBackend(), name: 'single', dtypes: ['float32', 'int32', 'bool'] });
    expect(() => Tensor.from([1], { dtype: 'float64' })).toThrow(DTypeError);
    expect(() => Tensor.from([1], { dtype: 'float64' })).toThrow(
      'the single backend computes in float32, int32, bool, not float64',
    );
  });
});

describe('ndarray', () => {
  it('copies strided, offset and reversed arrays element by element', () => {
    const base = ndarray(
      Float64Array.from({ length: 24 }, (_, i) => i),
      [4, 6],
    );
    const odd = base.lo(1, 1).step(2, 2).transpose(1, 0);
    const x = Tensor.fromNdarray(odd);
    expect([x.shape, x.dtype]).toEqual([[3, 2], 'float64']);
    expect(Array.from(x.data)).toEqual([7, 19, 9, 21, 11, 23]);
    const reversed = Tensor.fromNdarray(ndarray(Int32Array.of(1, 2, 3), [3]).step(-1));
    expect(reversed.data).toEqual(Int32Array.of(3, 2, 1));
    expect(Tensor.fromNdarray(ndarray(Float32Array.of(4), [])).item()).toBe(4);
  });

  it('wants a dtype for number types that are none', () => {
    const bytes = ndarray(Uint8ClampedArray.of(0, 200), [2]);
    expect(() => Tensor.fromNdarray(bytes)).toThrow('say which dtype a uint8_clamped ndarray becomes');
    expect(Tensor.fromNdarray(bytes, { dtype: 'float32' }).data).toEqual(Float32Array.of(0, 200));
  });

  it('gives a row-major copy of any view, and takes it back', () => {
    const x = grid([2, 3]).transpose();
    const array = x.toNdarray();
    expect([array.shape, array.stride, array.get(2, 1)]).toEqual([[3, 2], [2, 1], 5]);
    array.set(2, 1, 99);
    expect(x.data[5]).toBe(5);
    expect(Tensor.fromNdarray(array).data).toEqual(Float32Array.of(0, 3, 1, 4, 2, 99));
  });
});

describe('looking', () => {
  it('item() wants one element', () => {
    expect(Tensor.from([[3]]).item()).toBe(3);
    expect(() => Tensor.from([1, 2]).item()).toThrow(
      'item(x): x: needs exactly one element: x is float32[2].',
    );
    expect(() => Tensor.from([]).item()).toThrow(ShapeError);
  });

  it('read() gives what data gives', async () => {
    const x = grid([2, 3]).transpose();
    expect(await x.read()).toEqual(x.data);
    expect(Array.from(x.data)).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('says that its memory is gone once it was disposed', () => {
    const x = Tensor.zeros([3]);
    x.dispose();
    expect(() => x.data).toThrow('the memory of this tensor (float32, 3 elements) was released');
  });
});

describe('views', () => {
  it.each<[string, (x: Tensor) => Tensor, number[], number[]]>([
    ['transpose', (x) => x.transpose(), [3, 2], [0, 3, 1, 4, 2, 5]],
    ['permute', (x) => x.permute(1, 0), [3, 2], [0, 3, 1, 4, 2, 5]],
    ['slice', (x) => x.slice(1, 1), [2, 2], [1, 2, 4, 5]],
    ['slice from the end', (x) => x.slice(-1, -2, -1), [2, 1], [1, 4]],
    ['reshape', (x) => x.reshape(3, -1), [3, 2], [0, 1, 2, 3, 4, 5]],
    ['unsqueeze', (x) => x.unsqueeze(-1), [2, 3, 1], [0, 1, 2, 3, 4, 5]],
    ['expand', (x) => x.slice(0, 1).expand(2, 2, 3), [2, 2, 3], [3, 4, 5, 3, 4, 5, 3, 4, 5, 3, 4, 5]],
    [
      'folded batch of a transposed matrix',
      (x) => x.transpose().expand(2, 3, 2).reshape(2, 3, 1, 2),
      [2, 3, 1, 2],
      [0, 3, 1, 4, 2, 5, 0, 3, 1, 4, 2, 5],
    ],
    ['detach', (x) => x.detach(), [2, 3], [0, 1, 2, 3, 4, 5]],
  ])('%s shares the buffer', (_, look, shape, values) => {
    const x = grid([2, 3]);
    const before = x.backend.memory().buffers;
    const y = look(x);
    expect(x.backend.memory().buffers).toBe(before);
    expect(y.view.buffer).toBe(x.view.buffer);
    expect([y.shape, Array.from(y.data)]).toEqual([shape, values]);
    x.assign(x.mul(10));
    expect(Array.from(y.data)).toEqual(values.map((v) => 10 * v));
  });

  it('assign through a view changes the tensor it looks at, broadcasting', () => {
    const x = grid([2, 3]);
    x.transpose()
      .slice(0, 1)
      .assign(Tensor.from([7, 8]));
    expect(Array.from(x.data)).toEqual([0, 7, 7, 3, 8, 8]);
    expect(() => x.assign(Tensor.zeros([3, 2]))).toThrow('assign(destination, source)');
    expect(() => x.assign(Tensor.zeros([3], { dtype: 'float64' }))).toThrow(DTypeError);
    expect(() => Tensor.zeros([1]).assign(Tensor.ones([3]))).toThrow(
      'assign(destination, source): source: does not broadcast to the destination: ' +
        'destination is float32[1], source is float32[3].',
    );
    expect(() => Tensor.zeros([3]).assign(Tensor.ones([2, 3]))).toThrow(ShapeError);
  });

  it('assign reads an overlapping source before it writes', () => {
    const x = grid([4]);
    x.slice(0, 1).assign(x.slice(0, 0, 3));
    expect(Array.from(x.data)).toEqual([0, 0, 1, 2]);
  });

  it('reshape copies where strides do not allow a view, and only there', () => {
    const x = grid([2, 3]).transpose();
    const y = x.reshape(6);
    expect(y.view.buffer).not.toBe(x.view.buffer);
    expect(Array.from(y.data)).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('any chain of views reads the right elements, and reshapes to the same numbers in order', () => {
    const step = fc.record({
      kind: fc.constantFrom('permute', 'slice', 'unsqueeze', 'expand'),
      seed: fc.nat(1000),
    });
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
    const run = fc.property(shapes, fc.array(step, { maxLength: 5 }), fc.nat(1000), (shape, steps, seed) => {
      let x = grid(shape);
      for (const { kind, seed: s } of steps) {
        const rng = new Rng(s);
        const axis = rng.integer(x.rank);
        if (kind === 'permute') x = x.permute(...rng.shuffle(x.shape.map((_, a) => a)));
        if (kind === 'unsqueeze' && x.rank < 5) x = x.unsqueeze(rng.integer(x.rank + 1));
        if (kind === 'expand' && x.size < 200) x = x.expand(1 + rng.integer(2), ...x.shape);
        if (kind === 'slice') x = x.slice(axis, rng.integer(x.shape[axis]));
      }
      const expected = walked(x);
      expect(Array.from(x.data)).toEqual(expected);
      // A random other factorisation of the size.
      const rng = new Rng(seed);
      const sizes: number[] = [];
      for (let left = x.size; left > 1; ) {
        const factors = Array.from({ length: left }, (_, i) => i + 1).filter((n) => left % n === 0);
        sizes.push(factors[rng.integer(factors.length)]);
        left /= sizes[sizes.length - 1];
        if (sizes.length === 7) {
          sizes.push(left);
          left = 1;
        }
      }
      const y = x.reshape(...sizes);
      expect(Array.from(y.data)).toEqual(expected);
      expect(walked(y)).toEqual(expected);
    });
    fc.assert(run, { numRuns: 300, seed: 1 });
  });

  it('expand keeps an axis at −1, as PyTorch does', () => {
    const x = Tensor.from([[[1]], [[2]]], { requiresGrad: true });
    expect(x.expand(-1, 5, -1).shape).toEqual([2, 5, 1]);
    const y = x.expand(3, -1, -1, 4);
    expect(y.shape).toEqual([3, 2, 1, 4]);
    y.sum().backward();
    expect(Array.from(x.grad?.data ?? [])).toEqual([12, 12]);
    expect(Tensor.zeros([0, 1]).expand(-1, 3).shape).toEqual([0, 3]);
    expect(() => x.expand(-1, 2, 1, 1)).toThrow(
      'expand(x): shape: -1 keeps an axis, and axis 0 of [-1,2,1,1] is new: x is float32[2,1,1]. Hint: give a new leading axis its size.',
    );
    expect(() => x.expand(-1, -1)).toThrow(ShapeError);
    expect(() => x.expand(-2, 1, 1)).toThrow('does not broadcast to [-2,1,1]');
  });

  it('reshape says what was asked for where no size fits', () => {
    expect(() => grid([5]).reshape(2, -1)).toThrow('[2,-1] does not hold 5 elements: x is float32[5]');
    expect(() => Tensor.zeros([0]).reshape(0, -1)).toThrow('[0,-1] does not hold 0 elements');
  });

  it('refuses axes and ranges that are not there', () => {
    const x = grid([2, 3]);
    expect(() => x.transpose(0, 2)).toThrow('transpose(x): b: axis 2 is not one of the 2 axes');
    expect(() => x.slice(1, 0, 4)).toThrow(ShapeError);
    expect(() => x.slice(1, 2, 1)).toThrow(ShapeError);
    expect(() => x.reshape(4, -1)).toThrow(ShapeError);
    expect(() => x.reshape(-1, -1)).toThrow(ShapeError);
    expect(() => x.unsqueeze(3)).toThrow('unsqueeze(x): axis: a new axis cannot stand at 3');
    expect(() => x.unsqueeze(-4)).toThrow(ShapeError);
    expect(() => concat([])).toThrow('concat(): parts: needs at least one tensor.');
    expect(() => Tensor.zeros([2, 0]).argmax(1)).toThrow('an empty axis has no maximum (axis 1)');
  });
});

describe('dtypes', () => {
  it('float64 is double precision, float32 is not', () => {
    const third = (dtype: 'float32' | 'float64') => Tensor.from([1], { dtype }).div(3).data[0];
    expect(third('float64')).toBe(1 / 3);
    expect(third('float32')).toBe(Math.fround(1 / 3));
  });

  it('a float32 tensor is what float32 can hold, and equals the number it was made of', () => {
    expect(Tensor.full([], 0.1).eq(Tensor.from(0.1)).item()).toBe(1);
    expect(Tensor.from([0.1]).eq(0.1).data).toEqual(Uint8Array.of(1));
    expect(Tensor.from([0.1], { dtype: 'float64' }).eq(0.1).item()).toBe(1);
  });

  it('int32 is exact beyond the integers of float32', () => {
    const n = 2 ** 24 + 1;
    expect(Tensor.from([n], { dtype: 'int32' }).add(1).item()).toBe(n + 1);
    expect(Tensor.from([3, 1, 3], { dtype: 'int32' }).sum().dtype).toBe('int32');
    expect(Tensor.from([1, 3, 3], { dtype: 'int32' }).argmax(0).item()).toBe(1);
  });

  it('bool is 0 or 1, comes from comparisons, and chooses', () => {
    const x = Tensor.from([-1, 0, 2]);
    expect(Tensor.from([0, 5, -1], { dtype: 'bool' }).data).toEqual(Uint8Array.of(0, 1, 1));
    expect([x.lt(0), x.le(0), x.gt(0), x.ge(0), x.eq(0)].map((m) => Array.from(m.data))).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
      [0, 1, 1],
      [0, 1, 0],
    ]);
    expect(Array.from(where(x.gt(0), x, Tensor.zeros([])).data)).toEqual([0, 0, 2]);
  });

  it('casts truncate to integers; anything but 0 is true', () => {
    expect(Tensor.from([-1.7, 0.2, 2.9]).to('int32').data).toEqual(Int32Array.of(-1, 0, 2));
    expect(Tensor.from([-0.5, 0]).to('bool').data).toEqual(Uint8Array.of(1, 0));
    expect(Tensor.from([0.1], { dtype: 'float64' }).to('float32').to('float64').item()).toBe(
      Math.fround(0.1),
    );
    const x = Tensor.zeros([1]);
    expect(x.to('float32')).toBe(x);
  });

  it('converts nothing silently', () => {
    const single = Tensor.ones([2]);
    const double = Tensor.ones([2], { dtype: 'float64' });
    const whole = Tensor.arange(2);
    expect(() => single.add(double)).toThrow(DTypeError);
    expect(() => single.mul(whole)).toThrow(DTypeError);
    expect(() => single.eq(double)).toThrow(DTypeError);
    expect(() => concat([single, double])).toThrow(DTypeError);
    expect(() => whole.mul(0.5)).toThrow('mul(x): b: 0.5 is no int32: x is int32[2].');
    expect(() => whole.lt(1.5)).toThrow(DTypeError);
    expect(() => whole.mean()).toThrow('mean(x): x: needs float32 or float64');
    expect(() => whole.exp()).toThrow(DTypeError);
    expect(single.mul(0.5).dtype).toBe('float32');
    expect(double.mul(0.5).dtype).toBe('float64');
    expect(whole.mul(2).data).toEqual(Int32Array.of(0, 2));
  });
});

describe('reductions', () => {
  it('drop their axis, or keep it', () => {
    const x = grid([2, 3]);
    expect([x.sum().shape, x.sum(0).shape, x.sum(-1, true).shape, x.max(1).shape]).toEqual([
      [],
      [3],
      [2, 1],
      [2],
    ]);
    expect(Array.from(x.mean(0).data)).toEqual([1.5, 2.5, 3.5]);
    expect(x.mean().item()).toBe(2.5);
    expect(Array.from(x.argmax(1).data)).toEqual([2, 2]);
  });

  // What PyTorch's sum, mean and amax give for torch.arange(24).reshape(2, 3, 4).
  it('go over several axes, and over all', () => {
    const x = grid([2, 3, 4]);
    expect(Array.from(x.sum([0, 2]).data)).toEqual([60, 92, 124]);
    expect(Array.from(x.mean([-1, 0]).data)).toEqual([7.5, 11.5, 15.5]);
    expect(Array.from(x.max([0, 2]).data)).toEqual([15, 19, 23]);
    expect(Array.from(x.neg().max([1, 2]).data)).toEqual([-0, -12]);
    const shapes = [x.sum([0, 2], true), x.mean([1, 0], true), x.max([2, 0], true), x.max(undefined, true)];
    expect(shapes.map(({ shape }) => shape)).toEqual([
      [1, 3, 1],
      [1, 1, 4],
      [1, 3, 1],
      [1, 1, 1],
    ]);
    expect(x.max().shape).toEqual([]);
    expect([x.max().item(), x.sum([0, 1, 2]).item(), x.mean([2, 1, 0]).item()]).toEqual([23, 276, 11.5]);
    expect([Tensor.from(3).max().item(), Tensor.from(3).sum().item()]).toEqual([3, 3]);
    expect(x.permute(2, 0, 1).max([0, 1]).data).toEqual(x.max([0, 2]).data);
  });

  it('equal largest elements of several axes share the gradient evenly, as in PyTorch’s amax', () => {
    const x = Tensor.from(
      [
        [
          [5, 5],
          [1, 2],
        ],
        [
          [5, 0],
          [2, 2],
        ],
      ],
      { requiresGrad: true },
    );
    x.max([0, 2])
      .mul(Tensor.from([6, 3]))
      .sum()
      .backward();
    expect(Array.from(x.grad?.data ?? [])).toEqual([2, 2, 0, 1, 2, 0, 1, 1]);
    x.zeroGrad();
    x.max().backward();
    expect(Array.from(x.grad?.data ?? [])).toEqual([1, 1, 0, 0, 1, 0, 0, 0].map((n) => Math.fround(n / 3)));
  });

  it('have gradients that differences confirm', () => {
    const x = Tensor.randn([2, 3, 4], new Rng(1), { dtype: 'float64', requiresGrad: true });
    for (const axes of [[0, 2], [2, 1, 0], [-2]]) {
      gradcheck(() => x.sum(axes), [x]);
      gradcheck(() => x.mean(axes, true), [x]);
      gradcheck(() => x.max(axes), [x]);
    }
  });

  it('refuse axes that are not there, come twice, or are none', () => {
    const x = grid([2, 3]);
    expect(() => x.sum([0, 2])).toThrow('sum(x): axis: axis 2 is not one of the 2 axes: x is float32[2,3]');
    expect(() => x.mean(2)).toThrow('mean(x): axis: axis 2 is not one of the 2 axes');
    expect(() => x.max([1, -1])).toThrow('max(x): axis: axis 1 is there twice in [1,-1]: x is float32[2,3]');
    expect(() => x.sum([])).toThrow(
      'sum(x): axis: the list of axes is empty: x is float32[2,3]. Hint: leave it out to reduce over all.',
    );
    expect(() => Tensor.zeros([2, 0]).max()).toThrow('an empty axis has no maximum');
  });
});

describe('backends', () => {
  it('do not mix', async () => {
    const here = Tensor.ones([2]);
    await setBackend(createCpuBackend({ name: 'other' }));
    const there = Tensor.ones([2]);
    expect(() => here.add(there)).toThrow(
      'add: tensors of two backends meet, cpu and other; set the backend before making or loading tensors',
    );
  });

  it('a tensor works on where it was made, whatever backend is set later', async () => {
    const x = Tensor.from([2, 3], { requiresGrad: true });
    const other = createCpuBackend({ name: 'other' });
    await setBackend(other);
    x.mul(x).add(1).sum().backward();
    expect(x.grad?.backend).toBe(cpu);
    expect(Array.from(x.grad?.data ?? [])).toEqual([4, 6]);
    expect(other.memory().buffers).toBe(0);
  });
});
