/**
 * Softmax over the last axis in four GPU.js functions, the four steps of the formula: the largest x of a row,
 * e = exp(x − max), the sum of e, e / sum. x is [Z, M, N]; row i of M sees its first seen[i] columns: all N, or with
 * the causal rule i + (N − M) + 1 of them.
 *
 * What a row does not see is left out by this rule itself, never by adding a large negative number, so a row that sees
 * nothing gives zeros however large or small its x are.
 *
 * These functions are read as text and translated; matmulKernels.ts has the rules.
 */
import type { IKernelFunctionThis } from 'gpu.js';
import type { Device, Program } from './device.ts';
import { chunkLength, GROWTH } from './matmul.ts';

type Matrix = number[][];
type Matrices = number[][][];

const rowMax = function (this: IKernelFunctionThis<{ N: number }>, x: Matrices, seen: number[]): number {
  let max = x[this.thread.y][this.thread.x][0];
  for (let j = 0; j < this.constants.N; j++) {
    if (j < seen[this.thread.x]) {
      max = Math.max(max, x[this.thread.y][this.thread.x][j]);
    }
  }
  return max;
};

/**
 * exp(v) = 2ⁿ·exp(r) with n = round(v / ln 2), r = v − n·ln 2 (ln 2 in two parts, so that r keeps its digits), |r| ≤ ½ ln 2
 * and the polynomial of Cephes' expf. Within 2 units in the last place in every mode; a GPU's own exp may be wrong in
 * the sixth digit, and on WebAssembly Math.exp is a call out for each element. v ≤ 0, so 2ⁿ for n = −127 … 0 is a
 * table; its first entry is 0: what is smaller than float32 can say.
 */
const expMinusMax = function (
  this: IKernelFunctionThis<{ POWERS: number[] }>,
  x: Matrices,
  max: Matrix,
  seen: number[],
): number {
  const d = x[this.thread.z][this.thread.y][this.thread.x] - max[this.thread.z][this.thread.y];
  const v = Math.min(Math.max(d, -88), 0);
  const n = Math.floor(v * Math.LOG2E + 0.5);
  const r = v - n * 0.693359375 + n * 0.000212194440054;
  const p = 0.0083334519073 + r * (0.0013981999507 + r * 0.000198756915);
  const q = 0.50000001201 + r * (0.16666665459 + r * (0.041665795894 + r * p));
  let e = 0;
  if (this.thread.x < seen[this.thread.y]) {
    e = (1 + r + r * r * q) * this.constants.POWERS[n + 127];
  }
  return e;
};

const rowSum = function (this: IKernelFunctionThis<{ N: number; CHUNK: number }>, e: Matrices): number {
  let sum = 0;
  let s = 0;
  let count = 0;
  for (let j = 0; j < this.constants.N; j++) {
    s += e[this.thread.y][this.thread.x][j];
    count++;
    if (count >= this.constants.CHUNK) {
      sum += s;
      s = 0;
      count = 0;
    }
  }
  return sum + s;
};

const divideBySum = function (this: IKernelFunctionThis, e: Matrices, sum: Matrix, seen: number[]): number {
  let y = 0;
  if (this.thread.x < seen[this.thread.y]) {
    y = e[this.thread.z][this.thread.y][this.thread.x] / sum[this.thread.z][this.thread.y];
  }
  return y;
};

/** 0, 2⁻¹²⁶ … 2⁰. */
const POWERS = Float32Array.from({ length: 128 }, (_, i) => (i === 0 ? 0 : 2 ** (i - 127)));

/** data: dense numbers of `shape` [..., M, N] (causal) or [..., N] → softmax over the last axis. */
export function softmax(
  device: Device,
  data: Float32Array,
  shape: readonly number[],
  causal: boolean,
): Float32Array {
  if (data.length === 0) return new Float32Array(0);
  const n = shape.at(-1) ?? 1;
  const rows = data.length / n;
  const queries = shape.at(-2) ?? 1;
  // A lone query sees all, and is a step of cached generation: n is one more each time, see GROWTH.
  if (queries === 1) {
    const width = Math.ceil(n / GROWTH) * GROWTH;
    const seen = new Float32Array(rows).fill(n);
    return resizeRows(seenSoftmax(device, resizeRows(data, n, width), [width, rows, 1], seen), width, n);
  }
  if (!causal) return seenSoftmax(device, data, [n, rows, 1], new Float32Array(rows).fill(n));
  const seen = Float32Array.from({ length: queries }, (_, i) => i + (n - queries) + 1);
  return seenSoftmax(device, data, [n, queries, rows / queries], seen);
}

function seenSoftmax(
  device: Device,
  data: Float32Array,
  [n, m, z]: readonly [number, number, number],
  seenCounts: Float32Array,
): Float32Array {
  const perRow = { output: [m, z], width: 1, integers: {} } as const;
  const perElement = { output: [n, m, z], width: 1, integers: {} } as const;
  const programs = {
    max: { ...perRow, name: 'rowMax', source: rowMax, integers: { N: n } },
    exp: { ...perElement, name: 'expMinusMax', source: expMinusMax, tables: { POWERS } },
    sum: { ...perRow, name: 'rowSum', source: rowSum, integers: { N: n, CHUNK: chunkLength(n) } },
    divide: { ...perElement, name: 'divideBySum', source: divideBySum },
  } satisfies Record<string, Program>;

  const x = { data, size: [n, m, z] };
  const seen = { data: seenCounts, size: [m] };
  const max = { data: device.run(programs.max, [x, seen]), size: [m, z] };
  const e = { data: device.run(programs.exp, [x, max, seen]), size: [n, m, z] };
  const sum = { data: device.run(programs.sum, [e]), size: [m, z] };
  return device.run(programs.divide, [e, sum, seen]);
}

/** Rows of `from` numbers as rows of `to`: zeros behind, or the end cut off. */
function resizeRows(data: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return data;
  const rows = data.length / from;
  const out = new Float32Array(rows * to);
  const kept = Math.min(from, to);
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * from, i * from + kept), i * to);
  return out;
}
