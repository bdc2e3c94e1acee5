/** Copies, joins and row indexing of four-byte elements (float32 and int32); other dtypes go to the host kernels. */
import type { Backend, View } from '../backend.ts';
import { requireRows } from '../cpu/indexing.ts';
import { denseView, isDense, mergeAxes, sizeOf } from '../views.ts';
import type { Wasm } from './module.ts';

type MoveKernels = Pick<Backend, 'copy' | 'concat' | 'assign' | 'gatherRows' | 'scatterAddRows'>;

function isFourBytes(x: View): boolean {
  return x.buffer.dtype === 'float32' || x.buffer.dtype === 'int32';
}

function moveAxis(lists: readonly number[][], from: number, to: number): void {
  for (const list of lists) list.splice(to, 0, ...list.splice(from, 1));
}

export function moveKernels({ heap, pool }: Wasm, host: Backend): MoveKernels {
  /** Writes the elements of x from address `to`, with strides in elements. */
  function write(x: View, to: number, toStrides: readonly number[]): void {
    if (sizeOf(x.shape) === 0) return;
    const { shape, strides } = mergeAxes(x.shape, [x.strides, toStrides], 1);
    const [from, into] = strides;
    const lists = [shape, from, into];
    while (shape.length < 4) {
      shape.unshift(1);
      from.unshift(0);
      into.unshift(0);
    }
    // The innermost loop writes dense elements, the one around it reads them: whole rows or 4×4 transposes.
    const last = shape.length - 1;
    const dense = into.findIndex((step, axis) => step === 1 && shape[axis] > 1);
    if (dense >= 0) moveAxis(lists, dense, last);
    const read = from.findIndex((step, axis) => step === 1 && shape[axis] > 1);
    if (read >= 0 && read !== last) moveAxis(lists, read, last - 1);
    writeAxes(shape, heap.addressOf(x), from, to, into);
  }

  function writeAxes(
    shape: readonly number[],
    x: number,
    from: readonly number[],
    to: number,
    into: readonly number[],
  ): void {
    if (shape.length > 4) {
      for (let i = 0; i < shape[0]; i++) {
        writeAxes(shape.slice(1), x + 4 * i * from[0], from.slice(1), to + 4 * i * into[0], into.slice(1));
      }
      return;
    }
    const source = from.map((step) => step * 4);
    const target = into.map((step) => step * 4);
    const [[s0, s1, s2, s3], [d0, d1, d2, d3]] = [source, target];
    const axis = Math.max(
      0,
      shape.findIndex((n) => n > 1),
    );
    pool.split(
      'copy',
      shape[axis],
      sizeOf(shape) / shape[axis],
      (i, count) => {
        const [n0, n1, n2, n3] = shape.with(axis, count);
        return {
          n0,
          n1,
          n2,
          n3,
          from: x + i * source[axis],
          s0,
          s1,
          s2,
          s3,
          to: to + i * target[axis],
          d0,
          d1,
          d2,
          d3,
        };
      },
      4,
    );
  }

  function copy(x: View): View {
    if (!isFourBytes(x)) return host.copy(x);
    const y = denseView(heap.allocate(x.buffer.dtype, sizeOf(x.shape), false), x.shape);
    write(x, heap.addressOf(y), y.strides);
    return y;
  }

  return {
    copy,

    concat(parts, axis) {
      if (!isFourBytes(parts[0])) return host.concat(parts, axis);
      const length = parts.reduce((sum, part) => sum + part.shape[axis], 0);
      const shape = parts[0].shape.with(axis, length);
      const y = denseView(heap.allocate(parts[0].buffer.dtype, sizeOf(shape), false), shape);
      let to = heap.addressOf(y);
      for (const part of parts) {
        write(part, to, y.strides);
        to += 4 * part.shape[axis] * y.strides[axis];
      }
      return y;
    },

    assign(dst, src) {
      // Within one buffer source and destination may overlap, which the host kernel sees to.
      if (!isFourBytes(dst) || dst.buffer === src.buffer) host.assign(dst, src);
      else write(src, heap.addressOf(dst), dst.strides);
    },

    gatherRows(x, index) {
      const row = { ...x, shape: x.shape.slice(1), strides: x.strides.slice(1) };
      if (!isFourBytes(x) || !isDense(row) || !isDense(index)) return host.gatherRows(x, index);
      requireRows('gatherRows', index, x.shape[0]);
      const count = sizeOf(index.shape);
      const shape = [count, ...row.shape];
      const y = denseView(heap.allocate(x.buffer.dtype, sizeOf(shape), false), shape);
      const width = sizeOf(row.shape);
      const from = heap.addressOf(x);
      const [indexAt, to] = [heap.addressOf(index), heap.addressOf(y)];
      pool.split('gatherRows', count, width, (i, some) => ({
        count: some,
        n: width,
        x: from,
        row: 4 * x.strides[0],
        index: indexAt + 4 * i,
        out: to + 4 * i * width,
      }));
      return y;
    },

    scatterAddRows(x, index, rows) {
      if (x.buffer.dtype !== 'float32' || !isDense(x) || !isDense(index)) {
        return host.scatterAddRows(x, index, rows);
      }
      requireRows('scatterAddRows', index, rows);
      const shape = [rows, ...x.shape.slice(1)];
      const y = denseView(heap.allocate('float32', sizeOf(shape), true), shape);
      const width = sizeOf(shape.slice(1));
      const [from, indexAt, to] = [heap.addressOf(x), heap.addressOf(index), heap.addressOf(y)];
      const count = x.shape[0];
      // By columns, so that rows with one index add up in order.
      pool.split(
        'scatterAddRows',
        width,
        count,
        (i, some) => ({
          count,
          n: some,
          row: 4 * width,
          x: from + 4 * i,
          index: indexAt,
          out: to + 4 * i,
        }),
        16,
      );
      return y;
    },
  };
}
