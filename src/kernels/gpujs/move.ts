/** Making, joining and writing arrays, and rows by index. */
import type { Backend, View } from '../backend.ts';
import { denseView, isDense, sizeOf } from '../views.ts';
import { digitsOf } from './axes.ts';
import { digitsText, type Engine, FILL, requireCountable } from './engine.ts';
import type { Integers } from './integers.ts';
import { chunksOf, family, program, split, sumInChunks } from './program.ts';

const CAST_FLOAT = program('castFloat', { arrays: ['x'], body: 'return x[this.thread.x + xAt];' });

const CAST_BOOL = program('castBool', {
  arrays: ['x'],
  body: `
  const v = x[this.thread.x + xAt];
  let y = 1.0;
  if (v === 0) { y = 0.0; }
  return y;`,
});

/** Rows of a, then of b, side by side: [R, A] and [R, B] → [R, A + B]. */
const CONCAT = program('concat', {
  arrays: ['a', 'b'],
  integers: ['aWidth', 'bWidth', 'width'],
  body: `${split('row', 'column', 'this.thread.x', 'width')}
  let y = 0.0;
  if (column < aWidth) {
    y = a[~~row * aWidth + ~~column + aAt];
  } else {
    y = b[~~row * bWidth + ~~(column - aWidth) + bAt];
  }
  return y;`,
});

/** A buffer x with y written into the part of it that begins at `start` and has `rank` digits (see axes.ts). */
const assign = family<number>((rank) => {
  const each = (letter: string, count = rank) => Array.from({ length: count }, (_, d) => `${letter}${d}`);
  const radixes = each('n', rank - 1);
  const lower = each('d', rank - 1);
  const last = rank === 1 ? '(this.thread.x - start)' : `q${rank - 2}`;
  const indices = lower.map((digit, d) => `const i${d} = Math.floor((${digit} + 0.5) / e${d});`);
  const inside = lower.map((digit, d) => `i${d} < m${d} && i${d} * e${d} === ${digit} && `).join('');
  const position = lower.map((_, d) => `~~i${d} * s${d} + `).join('');
  return program(`assign${rank}`, {
    arrays: ['x', 'y'],
    integers: ['start', ...radixes, ...each('e', rank - 1), ...each('m'), ...each('s')],
    body: `
  let value = x[this.thread.x + xAt];
  if (this.thread.x >= start) {
    ${digitsText(radixes, '(this.thread.x - start)')}
    ${indices.join('\n    ')}
    if (${inside}${last} < m${rank - 1}) {
      value = y[yAt + ${position}~~${last} * s${rank - 1}];
    }
  }
  return value;`,
  });
});

const GATHER_ROWS = program('gatherRows', {
  arrays: ['x', 'index'],
  integers: ['width'],
  body: `${split('n', 'column', 'this.thread.x', 'width')}
  const row = index[~~n + indexAt];
  return x[~~row * width + ~~column + xAt];`,
});

/** Row r of the result is the sum of rows order[j] of x for j = starts[r] … starts[r + 1] − 1. */
const SCATTER_ROWS = program('scatterAddRows', {
  arrays: ['x', 'starts', 'order'],
  integers: ['width', 'chunk'],
  body: `${split('row', 'column', 'this.thread.x', 'width')}
  const first = starts[~~row + startsAt];
  const count = starts[~~row + 1 + startsAt] - first;
  const chunks = Math.ceil(count / chunk);${sumInChunks(
    'sum',
    'count',
    () => 'x[~~n * width + ~~column + xAt]',
    'const n = order[~~first + $k + orderAt];',
  )}
  return sum;`,
});

type MoveKernels = Pick<
  Backend,
  'fill' | 'copy' | 'cast' | 'concat' | 'assign' | 'gatherRows' | 'scatterAddRows'
>;

/** The same pairs of elements, in an order in which no stride of `dst` is negative. */
function forwards(dst: View, src: View): [View, View] {
  const backwards = (axis: number) => dst.strides[axis] < 0;
  const turned = (x: View): View => ({
    ...x,
    strides: x.strides.map((step, axis) => (backwards(axis) ? -step : step)),
    offset: x.strides.reduce(
      (at, step, axis) => at + (backwards(axis) ? step * (x.shape[axis] - 1) : 0),
      x.offset,
    ),
  });
  return [turned(dst), turned(src)];
}

export function moveKernels(engine: Engine, integers: Integers): MoveKernels {
  const { compute, copy, dense, store } = engine;

  function concatPair(a: View, b: View, axis: number): View {
    const shape = a.shape.with(axis, a.shape[axis] + b.shape[axis]);
    if (sizeOf(a.shape) === 0) return copy({ ...b, shape });
    if (sizeOf(b.shape) === 0) return copy({ ...a, shape });
    const width = (x: View) => sizeOf(x.shape.slice(axis));
    requireCountable('concat', sizeOf(shape.slice(0, axis)), [width(a) + width(b)]);
    const widths = [width(a), width(b), width(a) + width(b)];
    return compute(CONCAT, [dense(a), dense(b)], { integers: widths }, shape, a.buffer.dtype);
  }

  /** Halves first: each element moves only as often as there are halvings. */
  function concat(parts: readonly View[], axis: number): View {
    if (parts.length === 1) return copy(parts[0]);
    const middle = parts.length >> 1;
    const half = (some: readonly View[]) => (some.length === 1 ? some[0] : concat(some, axis));
    return concatPair(half(parts.slice(0, middle)), half(parts.slice(middle)), axis);
  }

  return {
    fill: (shape, value, dtype) =>
      compute(FILL, [], { floats: [dtype === 'bool' ? Number(value !== 0) : value] }, shape, dtype),

    copy,
    concat,

    cast(x, dtype) {
      const one = dtype === 'bool' ? CAST_BOOL : CAST_FLOAT;
      return compute(one, [dense(x)], {}, x.shape, dtype);
    },

    assign(target, source) {
      if (sizeOf(target.shape) === 0) return;
      const [dst, src] = forwards(target, source);
      const { length, dtype } = dst.buffer;
      if (isDense(dst) && dst.offset === 0 && sizeOf(dst.shape) === length) {
        store.move(copy(src), dst);
        return;
      }
      const from = dense(src);
      const { radixes, every, sizes, steps } = digitsOf(dst.shape, dst.strides, from.strides);
      if (radixes.length > 0) requireCountable('assign', length / radixes[0], radixes);
      const whole = denseView(dst.buffer, [length]);
      const numbers = { integers: [dst.offset, ...radixes, ...every, ...sizes, ...steps] };
      store.move(compute(assign(sizes.length), [whole, from], numbers, [length], dtype), dst);
    },

    gatherRows(x, index) {
      const shape = [index.shape[0], ...x.shape.slice(1)];
      const width = sizeOf(x.shape.slice(1));
      requireCountable('gatherRows', index.shape[0], [width]);
      const rows = integers.rowsOf('gatherRows', index, x.shape[0]);
      return compute(GATHER_ROWS, [dense(x), rows], { integers: [width] }, shape, x.buffer.dtype);
    },

    scatterAddRows(x, index, rows) {
      const shape = [rows, ...x.shape.slice(1)];
      const width = sizeOf(x.shape.slice(1));
      requireCountable('scatterAddRows', rows, [width]);
      const [chunk] = chunksOf(index.shape[0]);
      const { starts, order } = integers.sortedRows('scatterAddRows', index, rows);
      if (index.shape[0] === 0) return compute(FILL, [], { floats: [0] }, shape);
      return compute(SCATTER_ROWS, [dense(x), starts, order], { integers: [width, chunk] }, shape);
    },
  };
}
