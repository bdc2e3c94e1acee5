/** The cpu kernels against formulas written out naively on plain numbers, for every layout an operand may have. */
import { describe, expect, it } from 'vitest';
import type { DType, View } from '../../src/kernels/backend.ts';
import { swapLastTwo } from '../../src/kernels/views.ts';
import { cpu, expectValues, indices, LAYOUTS, numbers, on, repeated, wave, whole } from './cpuSupport.ts';

const FLOATS = ['float32', 'float64'] as const;
/** What is computed from float32 inputs starts from their rounded values. */
const stored = (values: readonly number[], dtype: DType) =>
  dtype === 'float32' ? values.map(Math.fround) : values;

describe.each(FLOATS)('elementwise in %s', (dtype) => {
  const x = wave([3, 4, 2], 1);
  const y = wave([3, 4, 2], 2);
  const [xs, ys] = [stored(x.values, dtype), stored(y.values, dtype)];

  it.each(LAYOUTS)('add, mul, compare, where: %s', (layout) => {
    const [X, Y] = [on(x, dtype, layout), on(y, dtype)];
    const zip = (f: (a: number, b: number) => number) =>
      whole(
        x.shape,
        xs.map((a, i) => f(a, ys[i])),
      );
    expectValues(
      cpu.binary('add', X, Y),
      zip((a, b) => a + b),
    );
    expectValues(
      cpu.binary('sub', X, Y),
      zip((a, b) => a - b),
    );
    expectValues(
      cpu.binary('mul', X, Y),
      zip((a, b) => a * b),
    );
    expectValues(
      cpu.binary('div', Y, X),
      zip((a, b) => b / a),
      4,
    );
    expectValues(
      cpu.binary('maximum', X, Y),
      zip((a, b) => Math.max(a, b)),
    );
    expectValues(
      cpu.unary('neg', X),
      zip((a) => -a),
    );
    const less = cpu.compare('lt', X, Y);
    expectValues(
      less,
      zip((a, b) => Number(a < b)),
    );
    expect(less.buffer.dtype).toBe('bool');
    expectValues(
      cpu.where(less, X, Y),
      zip((a, b) => Math.min(a, b)),
    );
  });

  it('broadcasts with stride 0, over leading, inner and all axes', () => {
    const full = on(x, dtype);
    const row = on(whole([1, 1, 2], [10, 20]), dtype);
    const middle = on(whole([1, 4, 1], [1, 2, 3, 4]), dtype);
    const scalar = on(whole([1, 1, 1], [5]), dtype);
    const sum = (other: View, axes: number[]) => cpu.binary('add', full, repeated(other, x.shape, axes));
    const at = indices(x.shape);
    expectValues(
      sum(row, [0, 1]),
      whole(
        x.shape,
        xs.map((a, i) => a + [10, 20][at[i][2]]),
      ),
    );
    expectValues(
      sum(middle, [0, 2]),
      whole(
        x.shape,
        xs.map((a, i) => a + 1 + at[i][1]),
      ),
    );
    expectValues(
      sum(scalar, [0, 1, 2]),
      whole(
        x.shape,
        xs.map((a) => a + 5),
      ),
    );
  });

  it('takes scalars and empty arrays', () => {
    expectValues(cpu.unary('exp', on(whole([], [1]), dtype)), whole([], [Math.E]));
    expectValues(
      cpu.binary('add', on(whole([2, 0], []), dtype), on(whole([2, 0], []), dtype)),
      whole([2, 0], []),
    );
  });
});

describe('comparisons', () => {
  const pairs = [
    [1, 2],
    [2, 2],
    [3, 2],
    [Number.NaN, 2],
  ];
  it.each([
    ['eq', [0, 1, 0, 0]],
    ['ne', [1, 0, 1, 1]],
    ['lt', [1, 0, 0, 0]],
    ['le', [1, 1, 0, 0]],
    ['gt', [0, 0, 1, 0]],
    ['ge', [0, 1, 1, 0]],
  ] as const)('%s', (name, expected) => {
    const [a, b] = [0, 1].map((side) =>
      on(
        whole(
          [4],
          pairs.map((pair) => pair[side]),
        ),
      ),
    );
    expectValues(cpu.compare(name, a, b), whole([4], expected));
  });
});

describe('functions of one variable', () => {
  const { POSITIVE_INFINITY: INF, NaN: NAN } = Number;
  // Values to 16 digits from arbitrary-precision arithmetic.
  it.each([
    ['exp', [0, 1, -1000, INF], [1, Math.E, 0, INF]],
    ['log', [1, 10, 0, -1], [0, Math.LN10, -INF, NAN]],
    ['sqrt', [0, 2, -1], [0, Math.SQRT2, NAN]],
    ['abs', [-2, 3, -INF], [2, 3, INF]],
    ['sin', [0, Math.PI / 6], [0, 0.5]],
    ['cos', [0, Math.PI / 3], [1, 0.5]],
    ['tanh', [0, 0.5, 50, -50], [0, 0.46211715726000974, 1, -1]],
    ['erf', [0, 0.5, -1], [0, 0.5204998778130465, -0.8427007929497149]],
    ['sigmoid', [0, -2, 800, -800, -INF, NAN], [0.5, 0.11920292202211756, 1, 0, 0, NAN]],
    ['relu', [-1, 0, 2, NAN], [0, 0, 2, NAN]],
    ['silu', [0, 2, 800, -800], [0, 1.7615941559557649, 800, 0]],
    ['gelu', [0, 1.5, -3, 50, -50], [0, 1.399789198096713, -0.0040496940948902835, 50, 0]],
  ] as const)('%s', (name, inputs, expected) => {
    for (const dtype of FLOATS) {
      const y = cpu.unary(name, on(whole([inputs.length], inputs), dtype));
      expectValues(y, whole([inputs.length], expected));
    }
  });

  it('gelu keeps its digits where Φ is tiny', () => {
    const [y] = numbers(cpu.unary('gelu', on(whole([1], [-9]))));
    expect(Math.abs(y / -1.0157295653584566e-18 - 1)).toBeLessThan(1e-14);
  });
});

describe('pow, NaN and the integers', () => {
  it('pow follows IEEE 754 where JavaScript does not', () => {
    const [a, b] = [
      [2, 0, 1, -1, -8, 4],
      [10, 0, Number.NaN, Number.POSITIVE_INFINITY, 3, -0.5],
    ];
    expectValues(
      cpu.binary('pow', on(whole([6], a)), on(whole([6], b))),
      whole([6], [1024, 1, 1, 1, -512, 0.5]),
    );
  });

  it('maximum passes NaN on', () => {
    const [a, b] = [on(whole([2], [Number.NaN, 1])), on(whole([2], [1, Number.NaN]))];
    expectValues(cpu.binary('maximum', a, b), whole([2], [Number.NaN, Number.NaN]));
  });

  it.each([
    ['add', [2 ** 31 - 1, 5], [1, -7], [-(2 ** 31), -2]],
    ['mul', [123456789, -3], [987654321, 4], [-67153019, -12]],
    ['div', [7, -7], [2, 2], [3, -3]],
    ['maximum', [7, -7], [2, 2], [7, 2]],
  ] as const)('%s of int32 wraps and truncates', (name, a, b, expected) => {
    const y = cpu.binary(name, on(whole([2], a), 'int32'), on(whole([2], b), 'int32'));
    expect(y.buffer.dtype).toBe('int32');
    expectValues(y, whole([2], expected));
  });
});

describe('moving', () => {
  const x = wave([2, 3, 4]);

  it.each(LAYOUTS)('copy, read, assign: %s', (layout) => {
    expectValues(cpu.copy(on(x, 'float64', layout)), x);
    expect(cpu.readSync(on(x, 'float32', layout))).toEqual(Float32Array.from(x.values));
    const target = on(wave([2, 3, 4], 9), 'float64', layout);
    const before = cpu.readSync({ ...target, shape: [target.buffer.length], strides: [1], offset: 0 });
    cpu.assign(target, on(x, 'float64', 'axes reversed in memory'));
    expectValues(cpu.copy(target), x);
    const after = cpu.readSync({ ...target, shape: [target.buffer.length], strides: [1], offset: 0 });
    const changed = [...after].filter((value, i) => !Object.is(value, before[i]));
    expect(changed.length).toBe(24);
  });

  it('assign within one buffer reads before it writes', () => {
    const whole5 = on(whole([5], [1, 2, 3, 4, 5]));
    const part = (offset: number) => ({ ...whole5, shape: [4], offset });
    cpu.assign(part(1), part(0));
    expectValues(cpu.copy(whole5), whole([5], [1, 1, 2, 3, 4]));
    const square = on(whole([2, 2], [1, 2, 3, 4]));
    cpu.assign(square, swapLastTwo(square));
    expectValues(cpu.copy(square), whole([2, 2], [1, 3, 2, 4]));
  });

  it.each([
    ['float32', 'int32', [1.9, -1.9, 0], [1, -1, 0]],
    ['float64', 'float32', [0.1, 1e300, -2], [Math.fround(0.1), Number.POSITIVE_INFINITY, -2]],
    ['float64', 'bool', [0.2, 0, Number.NaN], [1, 0, 1]],
    ['int32', 'bool', [256, 0, -1], [1, 0, 1]],
    ['bool', 'float32', [1, 0, 1], [1, 0, 1]],
    ['int32', 'float64', [-5, 2 ** 31 - 1, 0], [-5, 2 ** 31 - 1, 0]],
    ['float64', 'float64', [0.1, 2, 3], [0.1, 2, 3]],
  ] as const)('cast %s → %s', (from, to, values, expected) => {
    for (const layout of LAYOUTS) {
      const y = cpu.cast(on(whole([3], values), from, layout), to);
      expect(y.buffer.dtype).toBe(to);
      expect(numbers(y)).toEqual(expected);
    }
  });

  it('fill', () => {
    expectValues(cpu.fill([2, 2], 0.1, 'float32'), whole([2, 2], Array(4).fill(Math.fround(0.1))));
    expectValues(cpu.fill([], 7, 'int32'), whole([], [7]));
    expectValues(cpu.fill([2], 256, 'bool'), whole([2], [1, 1]));
    expectValues(cpu.fill([0, 3], 1, 'float64'), whole([0, 3], []));
  });

  it.each([0, 1, 2])('concat along axis %i, an empty part among others', (axis) => {
    const parts = [2, 0, 1].map((length, i) => wave([2, 2, 2].with(axis, length), 10 * i));
    const shape = [2, 2, 2].with(axis, 3);
    const expected = indices(shape).map((index) => {
      const part = index[axis] < 2 ? parts[0] : parts[2];
      const local = index.with(axis, index[axis] < 2 ? index[axis] : 0);
      const [, m, n] = part.shape;
      return part.values[(local[0] * m + local[1]) * n + local[2]];
    });
    for (const layout of LAYOUTS)
      expectValues(
        cpu.concat(
          parts.map((p) => on(p, 'float64', layout)),
          axis,
        ),
        whole(shape, expected),
      );
  });
});

describe('rows by index', () => {
  const index = (values: number[], layout = LAYOUTS[0] as (typeof LAYOUTS)[number]) =>
    on(whole([values.length], values), 'int32', layout);

  it.each(LAYOUTS)('gatherRows and scatterAddRows: %s', (layout) => {
    const x = whole([3, 2], [1, 2, 3, 4, 5, 6]);
    const picks = index([2, 0, 2, 2], layout);
    const rows = cpu.gatherRows(on(x, 'float32', layout), picks);
    expectValues(rows, whole([4, 2], [5, 6, 1, 2, 5, 6, 5, 6]));
    const y = on(whole([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), 'float32', layout);
    expectValues(cpu.scatterAddRows(y, picks, 4), whole([4, 2], [3, 4, 0, 0, 13, 16, 0, 0]));
  });

  it('works on vectors, on three axes, on int32 and on nothing', () => {
    expectValues(cpu.gatherRows(on(whole([3], [7, 8, 9]), 'int32'), index([1, 1])), whole([2], [8, 8]));
    expectValues(cpu.scatterAddRows(on(whole([2], [7, 8]), 'int32'), index([1, 1]), 2), whole([2], [0, 15]));
    const x = wave([2, 2, 3]);
    const swapped = [...x.values.slice(6), ...x.values.slice(0, 6)];
    expectValues(cpu.gatherRows(on(x), index([1, 0])), whole([2, 2, 3], swapped));
    expectValues(cpu.gatherRows(on(x), index([])), whole([0, 2, 3], []));
    expectValues(cpu.scatterAddRows(on(whole([0, 2], [])), index([]), 2), whole([2, 2], [0, 0, 0, 0]));
  });
});

describe('float64 is float64', () => {
  // 1 + 2⁻⁴⁰ is 1 in single precision.
  const tiny = 2 ** -40;
  const x = on(whole([1, 2], [1 + tiny, 1]));
  const one = on(whole([2], [1, 1]));
  const targets = on(whole([1], [0]), 'int32');
  it.each<[string, () => View, number]>([
    ['copy', () => cpu.copy(x), 1 + tiny],
    ['mul', () => cpu.binary('mul', x, x), 1 + 2 * tiny],
    ['sum', () => cpu.sum(x, [1]), 2 + tiny],
    ['matmul', () => cpu.matmul(x, swapLastTwo(x)), 2 + 2 * tiny],
    ['softmax', () => cpu.softmax(x, { causal: false }), 0.5 + tiny / 4],
    ['cross-entropy', () => cpu.crossEntropy(x, targets, -1).loss, Math.LN2 - tiny / 2],
    ['rmsNorm', () => cpu.rmsNorm(x, one, 0).y, 1 + tiny / 2],
    ['swiglu', () => cpu.swiglu(one, { ...x, shape: [2], strides: [1] }), (1 + tiny) / (1 + Math.exp(-1))],
    ['exp', () => cpu.unary('exp', x), Math.E * (1 + tiny)],
  ])('%s', (_name, run, expected) => {
    const y = run();
    expect(y.buffer.dtype).toBe('float64');
    expect(Math.abs(numbers(y)[0] - expected)).toBeLessThan(tiny / 1000);
  });
});
