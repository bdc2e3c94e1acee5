/**
 * The host's half of matmul: finds matrices in strided, broadcast views that a kernel can read as they lie, and puts
 * the kernel's tiles back into rows.
 */
import type { View } from '../backend.ts';
import { sizeOf } from '../views.ts';
import type { Device } from './device.ts';
import { float32Of } from './hostData.ts';
import { row, rowColumnsB, rows4, rows4ColumnsA, rows4ColumnsAB, rows4ColumnsB } from './matmulKernels.ts';

/** Rows that a thread makes. */
const TILE = 4;
/** Sizes that grow token by token are compiled in steps of this. */
export const GROWTH = 64;

/** One matrix of a view. */
interface Matrix {
  readonly data: Float32Array;
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
  readonly rowStride: number;
  readonly colStride: number;
}

/** A matrix without gaps, by rows or by columns. */
interface DenseMatrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
  readonly byColumns: boolean;
}

/** a [..., M, K] · b [..., K, N] → the numbers of [..., M, N], row-major; both float32. */
export function matmul(device: Device, a: View, b: View): Float32Array {
  const axes = a.shape.length;
  const batch = a.shape.slice(0, axes - 2);
  const [m, k] = a.shape.slice(axes - 2);
  const n = b.shape[axes - 1];
  const out = new Float32Array(sizeOf(batch) * m * n);
  if (out.length === 0 || k === 0) return out; // an empty sum is 0

  const rows = isBroadcast(b, batch.length) ? rowsOf(a) : undefined;
  if (rows) {
    multiply(device, rows, matrixAt(b, b.offset), out);
    return out;
  }
  const aOffsets = batchOffsets(a);
  const bOffsets = batchOffsets(b);
  aOffsets.forEach((offset, i) => {
    const result = out.subarray(i * m * n, (i + 1) * m * n);
    multiply(device, matrixAt(a, offset), matrixAt(b, bOffsets[i]), result);
  });
  return out;
}

function multiply(device: Device, a: Matrix, b: Matrix, out: Float32Array): void {
  if (a.rows === 1) multiplyRow(device, a, b, out);
  // The threads of a kernel lie along N. One column is the same numbers as one row of (Bᵀ·Aᵀ).
  else if (b.cols === 1) multiplyRow(device, transpose(b), transpose(a), out);
  else multiplyTiles(device, a, b, out);
}

function multiplyRow(device: Device, a: Matrix, b: Matrix, out: Float32Array): void {
  const right = padded(dense(b));
  const vector = right.rows === a.cols ? dense(a).data : new Float32Array(right.rows);
  if (right.rows !== a.cols) vector.set(dense(a).data);
  const program = {
    name: right.byColumns ? 'rowColumnsB' : 'row',
    source: right.byColumns ? rowColumnsB : row,
    output: [right.cols],
    width: 1,
    integers: integers(right.rows),
  } as const;
  const result = device.run(program, [
    { data: vector, size: [right.rows] },
    { data: right.data, size: sizes(right) },
  ]);
  out.set(result.subarray(0, b.cols));
}

const TILES = {
  rows4,
  rows4ColumnsA,
  rows4ColumnsB,
  rows4ColumnsAB,
} as const;

function multiplyTiles(device: Device, a: Matrix, b: Matrix, out: Float32Array): void {
  const tiles = Math.ceil(a.rows / TILE);
  // A last tile that hangs over the edge would read past A, which traps, clamps or gives junk as the mode likes.
  const left = a.rows % TILE === 0 ? dense(a) : gather(a, tiles * TILE);
  const right = dense(b);
  const name = `rows4${columnsSuffix(left.byColumns, right.byColumns)}` as const;
  const n = b.cols;
  const program = {
    name,
    source: TILES[name],
    output: [n, tiles],
    width: TILE,
    integers: integers(a.cols),
  } as const;
  const result = device.run(program, [
    { data: left.data, size: sizes(left) },
    { data: right.data, size: sizes(right) },
  ]);
  // result [tile, n, 4] → out [4·tile + r, n]
  for (let i = 0; i < a.rows; i++) {
    let from = (i - (i % TILE)) * n + (i % TILE);
    for (let j = i * n; j < (i + 1) * n; j++) {
      out[j] = result[from];
      from += TILE;
    }
  }
}

function columnsSuffix(a: boolean, b: boolean) {
  if (a) return b ? 'ColumnsAB' : 'ColumnsA';
  return b ? 'ColumnsB' : '';
}

/** Sums of K numbers as about √K sums of about √K, where the rounding of both together is least. */
function integers(k: number) {
  return { K: k, CHUNK: chunkLength(k) };
}

export function chunkLength(k: number): number {
  return Math.max(2 ** Math.round(Math.log2(k) / 2), 32);
}

/** Fastest axis first. */
function sizes({ rows, cols, byColumns }: DenseMatrix): number[] {
  return byColumns ? [rows, cols] : [cols, rows];
}

/** As it lies where it has no gaps in either order, else copied. */
function dense(x: Matrix): DenseMatrix {
  const { rows, cols, rowStride, colStride } = x;
  const data = () => x.data.subarray(x.offset, x.offset + rows * cols);
  if ((cols === 1 || colStride === 1) && (rows === 1 || rowStride === cols)) {
    return { data: data(), rows, cols, byColumns: false };
  }
  if ((rows === 1 || rowStride === 1) && (cols === 1 || colStride === rows)) {
    return { data: data(), rows, cols, byColumns: true };
  }
  return gather(x, rows);
}

/**
 * With zeros behind, up to a multiple of GROWTH along the slow axis. In cached generation that axis is the sequence
 * and gets longer with each token, and each new size would be a new program to compile.
 */
function padded(x: DenseMatrix): DenseMatrix {
  const { rows, cols, byColumns } = x;
  const slow = byColumns ? cols : rows;
  const length = Math.ceil(slow / GROWTH) * GROWTH;
  if (length === slow) return x;
  const data = new Float32Array(length * (byColumns ? rows : cols));
  data.set(x.data);
  return byColumns ? { data, rows, cols: length, byColumns } : { data, rows: length, cols, byColumns };
}

/** A copy by rows with zeros below, `rows` in all. */
function gather(x: Matrix, rows: number): DenseMatrix {
  const data = new Float32Array(rows * x.cols);
  for (let i = 0; i < x.rows; i++) {
    let from = x.offset + i * x.rowStride;
    for (let j = 0; j < x.cols; j++) {
      data[i * x.cols + j] = x.data[from];
      from += x.colStride;
    }
  }
  return { data, rows, cols: x.cols, byColumns: false };
}

function transpose(x: Matrix): Matrix {
  return { ...x, rows: x.cols, cols: x.rows, rowStride: x.colStride, colStride: x.rowStride };
}

/** The last two axes of a view, beginning at an element of its buffer. */
function matrixAt(x: View, offset: number): Matrix {
  const axes = x.shape.length;
  const [rows, cols] = x.shape.slice(axes - 2);
  const [rowStride, colStride] = x.strides.slice(axes - 2);
  return { data: float32Of(x.buffer), offset, rows, cols, rowStride, colStride };
}

function isBroadcast(x: View, axes: number): boolean {
  return x.shape.slice(0, axes).every((size, axis) => size === 1 || x.strides[axis] === 0);
}

/** All axes but the last as one, where their elements are evenly spaced: x [..., K] as a matrix [R, K]. */
function rowsOf(x: View): Matrix | undefined {
  const last = x.shape.length - 1;
  let rows = 1;
  let rowStride = 0;
  for (let axis = last - 1; axis >= 0; axis--) {
    if (x.shape[axis] === 1) continue;
    if (rows === 1) rowStride = x.strides[axis];
    else if (x.strides[axis] !== rowStride * rows) return undefined;
    rows *= x.shape[axis];
  }
  return {
    data: float32Of(x.buffer),
    offset: x.offset,
    rows,
    cols: x.shape[last],
    rowStride,
    colStride: x.strides[last],
  };
}

/** Where each matrix of a batch begins, in row-major order of the batch. */
function batchOffsets(x: View): number[] {
  let offsets = [x.offset];
  for (let axis = 0; axis < x.shape.length - 2; axis++) {
    const step = x.strides[axis];
    offsets = offsets.flatMap((offset) => Array.from({ length: x.shape[axis] }, (_, i) => offset + i * step));
  }
  return offsets;
}
