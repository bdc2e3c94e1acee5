/**
 * C = A·B over strided operands as they lie: transposes, slices and broadcasts cost no copy. Positions in A and B are
 * written out as integers at each use, which keeps them exact beyond 2²⁴.
 *
 * A thread makes four rows of one column, so each element of B that it reads serves four products; then a second program
 * puts the tiles into rows. Where a kernel cannot return four numbers that another reads (WebGL), or there is but one row,
 * a thread makes one element. A sum is made of sums over `chunk` numbers: rounding grows with the two lengths, not with K.
 */
import type { Backend, View } from '../backend.ts';
import { type Axes, denseStrides, mergeAxes, sizeOf, swapLastTwo } from '../views.ts';
import { type Engine, FILL, requireCountable } from './engine.ts';
import { CHUNKS, chunksOf, inChunks, program, split } from './program.ts';
import { roundedAxis } from './residence.ts';

/** Rows that a thread makes. */
const TILE = 4;

const OPERANDS = {
  arrays: ['a', 'b'],
  integers: [
    ...['rows', 'columns', 'terms', 'heads'],
    ...['aRow', 'aTerm', 'aBatch', 'aHead', 'bTerm', 'bColumn', 'bBatch', 'bHead'],
    ...CHUNKS,
  ],
};

/** Matrix z of the batch is head z mod heads of batch ⌊z/heads⌋. */
const batchOf = (z: string) => `
  const batch = Math.floor((${z} + 0.5) / heads);
  const head = ${z} - batch * heads;`;
const left = (row: string, k: string) =>
  `a[aAt + ~~batch * aBatch + ~~head * aHead + ${row} * aRow + ${k} * aTerm]`;
const right = (column: string, k: string) =>
  `b[bAt + ~~batch * bBatch + ~~head * bHead + ${column} * bColumn + ${k} * bTerm]`;

/** Rows below the last and columns behind it are read as the last: what is not there may trap or give junk. */
const TILES = program('matmulTiles', {
  ...OPERANDS,
  width: TILE,
  body: `${batchOf('this.thread.z')}
  const column = Math.min(this.thread.x, columns - 1);
  const r0 = Math.min(this.thread.y * 4, rows - 1);
  const r1 = Math.min(this.thread.y * 4 + 1, rows - 1);
  const r2 = Math.min(this.thread.y * 4 + 2, rows - 1);
  const r3 = Math.min(this.thread.y * 4 + 3, rows - 1);
  let c0 = 0.0;
  let c1 = 0.0;
  let c2 = 0.0;
  let c3 = 0.0;${inChunks('terms', {
    before: 'let s0 = 0.0; let s1 = 0.0; let s2 = 0.0; let s3 = 0.0;',
    turn: (k) => `const v = ${right('~~column', k)};
      s0 += ${left('~~r0', k)} * v;
      s1 += ${left('~~r1', k)} * v;
      s2 += ${left('~~r2', k)} * v;
      s3 += ${left('~~r3', k)} * v;`,
    after: 'c0 += s0; c1 += s1; c2 += s2; c3 += s3;',
  })}
  return [c0, c1, c2, c3];`,
});

const dot = (row: string, column: string) => `
  let sum = 0.0;${inChunks('terms', {
    before: 'let part = 0.0;',
    turn: (k) => `part += ${left(row, k)} * ${right(column, k)};`,
    after: 'sum += part;',
  })}
  return sum;`;

/** Threads [column, 1, matrix]: one row each. */
const ROW = program('matmulRow', {
  ...OPERANDS,
  body: `${batchOf('this.thread.z')}
  const column = Math.min(this.thread.x, columns - 1);${dot('0', '~~column')}`,
});

/** One thread per element, in row-major order. */
const ELEMENTS = program('matmulElements', {
  ...OPERANDS,
  body: `${split('line', 'column', 'this.thread.x', 'columns')}${split('z', 'row', 'line', 'rows')}${batchOf('z')}${dot(
    '~~row',
    '~~column',
  )}`,
});

/** [matrix][tile][column][4] → [matrix, row, column]; `across` is the number of columns of threads, `down` of tiles. */
const UNTILE = program('untile', {
  arrays: ['c'],
  integers: ['rows', 'columns', 'across', 'down'],
  body: `${split('line', 'column', 'this.thread.x', 'columns')}${split('z', 'row', 'line', 'rows')}
  const tile = Math.floor((row + 0.5) * 0.25);
  const r = row - tile * 4;
  return c[((~~z * down + ~~tile) * across + ~~column) * 4 + ~~r + cAt];`,
});

export function matmulKernels(engine: Engine): Pick<Backend, 'matmul'> {
  const { compute, copy, launch, device } = engine;
  const { tiles, bakesSizes } = device.residence;
  const roundAxis = bakesSizes ? roundedAxis : (n: number) => n;

  /** a [..., M, K], b [..., K, N] → row-major [..., M, N] */
  function multiply(a: View, b: View): View {
    const lead = a.shape.length - 2;
    const [M, K] = a.shape.slice(lead);
    const N = b.shape[lead + 1];
    const shape = [...a.shape.slice(0, lead), M, N];
    if (sizeOf(shape) === 0 || K === 0) return compute(FILL, [], { floats: [0] }, shape);
    if (M > 1 && N === 1)
      return { ...multiply(swapLastTwo(b), swapLastTwo(a)), shape, strides: denseStrides(shape) };

    const batch = mergeAxes(a.shape.slice(0, lead), [a.strides.slice(0, lead), b.strides.slice(0, lead)]);
    // One right matrix for all: the rows of all left matrices, where evenly spaced, are the rows of one.
    if (batch.strides[1].every((step) => step === 0)) {
      const rows = mergeAxes(a.shape.slice(0, lead + 1), [a.strides.slice(0, lead + 1)]);
      if (rows.shape.length <= 1) {
        const flat = { rows: rows.shape[0] ?? 1, rowStride: rows.strides[0][0] ?? 0 };
        const left = { ...a, shape: [flat.rows, K], strides: [flat.rowStride, a.strides[lead + 1]] };
        const right = { ...b, shape: [K, N], strides: b.strides.slice(lead) };
        return { ...run(left, right, { shape: [], strides: [[], []] }), shape, strides: denseStrides(shape) };
      }
    }
    if (batch.shape.length <= 2) return { ...run(a, b, batch), shape, strides: denseStrides(shape) };
    return multiply(copy(a), copy(b));
  }

  function run(a: View, b: View, batch: Axes): View {
    const lead = a.shape.length - 2;
    const [M, K] = a.shape.slice(lead);
    const N = b.shape[lead + 1];
    const [batches, heads] = [1, 1, ...batch.shape].slice(-2);
    const [aSteps, bSteps] = batch.strides.map((steps) => [0, 0, ...steps].slice(-2));
    requireCountable('matmul', batches * heads * M, [M, N, K]);
    const integers = [
      ...[M, N, K, heads],
      ...[...a.strides.slice(lead), ...aSteps, ...b.strides.slice(lead), ...bSteps],
      ...chunksOf(K),
    ];
    const shape = [batches * heads, M, N];
    if (!tiles) return compute(ELEMENTS, [a, b], { integers }, shape);
    const across = roundAxis(N);
    if (M === 1) {
      const threads = [across, 1, batches * heads];
      const c = launch(ROW, [a, b], { integers }, threads, sizeOf(threads));
      return across === N ? c : copy({ ...c, shape, strides: [across, across, 1] });
    }
    const down = roundAxis(Math.ceil(M / TILE));
    const threads = [across, down, batches * heads];
    const c = launch(TILES, [a, b], { integers }, threads, TILE * sizeOf(threads));
    return compute(UNTILE, [c], { integers: [M, N, across, down] }, shape);
  }

  return { matmul: multiply };
}
