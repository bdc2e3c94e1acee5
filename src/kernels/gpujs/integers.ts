/**
 * int32 data. It lies on the host, exact to its 32 bits: GPU.js computes in float32 and has no integers beyond 2²⁴. Kernels
 * over it are the specification's own. What kernels on the device need of it (indices, classes) goes up as float32, checked.
 */
import type { Backend, DType, HostArray, View } from '../backend.ts';
import { requireRows } from '../cpu/indexing.ts';
import { denseView, sizeOf } from '../views.ts';
import type { Engine } from './engine.ts';
import { Slot } from './lane.ts';
import type { Held } from './store.ts';

/** Integers to here are exact in float32. */
const LARGEST = 2 ** 24;

export interface Integers {
  /** The elements of a view of int32 or bool in row-major order; ready at once where they are. */
  read(x: View): Slot<HostArray>;
  /** An int32 (or, uploaded, bool or float32) buffer of what a host kernel makes of views that lie anywhere. */
  compute(
    views: readonly View[],
    shape: readonly number[],
    dtype: DType,
    run: (host: Backend, views: readonly View[]) => View,
  ): View;
  /** An index on the device. @throws RangeError naming the first that is not one of the rows */
  rowsOf(kernel: string, index: View, rows: number): View;
  /** order: the positions in index, sorted by row; starts [rows + 1]: where each row's begin in order. */
  sortedRows(kernel: string, index: View, rows: number): { starts: View; order: View };
  /** Classes on the device, −1 where ignored. */
  classesOf(targets: View, classes: number, ignoreIndex: number): View;
}

/** Runs `work` in a scope of the host, of which nothing is left. */
function briefly<T>(host: Backend, work: () => T): T {
  host.openScope();
  try {
    return work();
  } finally {
    host.closeScope(new Set());
  }
}

export function createIntegers(engine: Engine, readFloats: (x: View) => Slot<Float32Array>): Integers {
  const { host, lane, store, upload } = engine;

  /** Runs now where the inputs are there, else in the lane. */
  function whenReady<T>(slots: readonly Slot<unknown>[], work: () => T): Slot<T> {
    return slots.every((slot) => slot.isReady) ? Slot.of(work()) : lane.submit(work);
  }

  function read(x: View): Slot<HostArray> {
    if (x.buffer.dtype !== 'int32') {
      const floats = readFloats(x);
      if (x.buffer.dtype === 'float32') return floats;
      return whenReady<HostArray>([floats], () => Uint8Array.from(floats.take()));
    }
    const slot = store.slotOf(x);
    return whenReady([slot], () => {
      const data = slot.take() as Int32Array;
      return briefly(host, () => host.readSync({ ...x, buffer: host.upload(data) }));
    });
  }

  /** Integers checked and changed on the host, as numbers on the device. */
  function uploaded(x: View, length: number, change: (values: Int32Array) => ArrayLike<number>): View {
    const values = read(x) as Slot<Int32Array>;
    const numbers = whenReady([values], () => Float32Array.from(change(values.take())));
    return upload(() => numbers.take(), length);
  }

  function requireSmall(kernel: string, count: number): void {
    if (count <= LARGEST) return;
    throw new Error(`gpujs: ${kernel}: ${count} rows, expected at most ${LARGEST}, the integers of float32`);
  }

  function checked(kernel: string, rows: number): (values: Int32Array) => Int32Array {
    return (values) => {
      briefly(host, () => requireRows(kernel, denseView(host.upload(values), [values.length]), rows));
      return values;
    };
  }

  return {
    read,

    compute(views, shape, dtype, run) {
      const slots = views.map(read);
      const data = whenReady(slots, () =>
        briefly(host, () => {
          const given = views.map((x, i) => denseView(host.upload(slots[i].take()), x.shape));
          return host.readSync(run(host, given));
        }),
      );
      if (dtype !== 'int32') {
        const { buffer } = upload(() => Float32Array.from(data.take()), sizeOf(shape), dtype);
        return denseView(buffer, shape);
      }
      return denseView(store.make('int32', sizeOf(shape), data as Slot<Held>), shape);
    },

    rowsOf(kernel, index, rows) {
      requireSmall(kernel, rows);
      return uploaded(index, index.shape[0], checked(kernel, rows));
    },

    sortedRows(kernel, index, rows) {
      const N = index.shape[0];
      requireSmall(kernel, Math.max(rows, N));
      const check = checked(kernel, rows);
      const starts = uploaded(index, rows + 1, (values) => {
        const counts = new Float32Array(rows + 1);
        for (const row of check(values)) counts[row + 1]++;
        for (let row = 0; row < rows; row++) counts[row + 1] += counts[row];
        return counts;
      });
      const order = uploaded(index, N, (values) =>
        Array.from(values, (_, n) => n).sort((a, b) => values[a] - values[b] || a - b),
      );
      return { starts, order };
    },

    classesOf(targets, classes, ignoreIndex) {
      requireSmall('crossEntropy', classes);
      return uploaded(targets, targets.shape[0], (values) =>
        values.map((target) => (target === ignoreIndex ? -1 : target)),
      );
    },
  };
}

/** Kernels over integers, by name: those whose first operand may be int32, and those that make int32 of floats. */
export type IntegerKernels = Pick<
  Backend,
  | 'copy'
  | 'cast'
  | 'concat'
  | 'assign'
  | 'gatherRows'
  | 'scatterAddRows'
  | 'unary'
  | 'unaryBackward'
  | 'binary'
  | 'compare'
  | 'where'
  | 'sum'
  | 'max'
  | 'argmax'
  | 'matmul'
>;

export function integerKernels(engine: Engine, { compute, read }: Integers): IntegerKernels {
  const { store, lane } = engine;
  const kernels: IntegerKernels = {
    copy: (x) => compute([x], x.shape, 'int32', (k, [v]) => k.copy(v)),
    cast: (x, dtype) => compute([x], x.shape, dtype, (k, [v]) => k.cast(v, dtype)),
    concat(parts, axis) {
      const length = parts.reduce((sum, part) => sum + part.shape[axis], 0);
      const shape = parts[0].shape.with(axis, length);
      return compute(parts, shape, 'int32', (k, views) => k.concat(views, axis));
    },
    gatherRows: (x, index) =>
      compute([x, index], [index.shape[0], ...x.shape.slice(1)], 'int32', (k, [v, i]) => k.gatherRows(v, i)),
    scatterAddRows: (x, index, rows) =>
      compute([x, index], [rows, ...x.shape.slice(1)], 'int32', (k, [v, i]) => k.scatterAddRows(v, i, rows)),
    unary: (name, x) => compute([x], x.shape, 'int32', (k, [v]) => k.unary(name, v)),
    unaryBackward: (name, ...views) =>
      compute(views, views[0].shape, 'int32', (k, [x, y, dy]) => k.unaryBackward(name, x, y, dy)),
    binary: (name, ...views) => compute(views, views[0].shape, 'int32', (k, [a, b]) => k.binary(name, a, b)),
    compare: (name, ...views) => compute(views, views[0].shape, 'bool', (k, [a, b]) => k.compare(name, a, b)),
    where: (...views) => compute(views, views[0].shape, 'int32', (k, [c, a, b]) => k.where(c, a, b)),
    sum: (x, axes) =>
      compute(
        [x],
        x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
        'int32',
        (k, [v]) => k.sum(v, axes),
      ),
    max: (x, axis) => compute([x], x.shape.with(axis, 1), 'int32', (k, [v]) => k.max(v, axis)),
    argmax: (x, axis) => compute([x], x.shape.toSpliced(axis, 1), 'int32', (k, [v]) => k.argmax(v, axis)),
    matmul: (a, b) =>
      compute([a, b], [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]], 'int32', (k, [x, y]) =>
        k.matmul(x, y),
      ),
    assign(dst, src) {
      const before = store.slotOf(dst);
      const values = read(src);
      const { length } = dst.buffer;
      const { host } = engine;
      const work = (): Held =>
        briefly(host, () => {
          const whole = host.upload(before.take() as Int32Array);
          host.assign({ ...dst, buffer: whole }, denseView(host.upload(values.take()), src.shape));
          return host.readSync(denseView(whole, [length])) as Int32Array;
        });
      const slot = before.isReady && values.isReady ? Slot.of(work()) : lane.submit(work);
      store.move(denseView(store.make('int32', length, slot), [length]), dst);
    },
  };
  return kernels;
}
