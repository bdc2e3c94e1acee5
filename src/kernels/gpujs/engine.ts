/** What every kernel is made of: programs run in order over buffers, and dense data for those that want it. */
import type { Backend, DType, View } from '../backend.ts';
import { denseView, isDense, mergeAxes, sizeOf } from '../views.ts';
import type { Device } from './device.ts';
import { type Lane, Slot } from './lane.ts';
import { family, LONGEST_ROW, MOST_ROWS, type Program, program, split } from './program.ts';
import type { Content } from './residence.ts';
import type { Held, Store } from './store.ts';

export interface Numbers {
  readonly integers?: readonly number[];
  readonly floats?: readonly number[];
}

export interface Engine {
  readonly device: Device;
  readonly lane: Lane;
  readonly store: Store;
  /** The specification's kernels, for integers; its memory is not this backend's. */
  readonly host: Backend;
  /** Runs a program with one thread per element of `shape`, over dense views; nothing runs where there is no element. */
  compute(
    one: Program,
    arrays: readonly View[],
    numbers: Numbers,
    shape: readonly number[],
    dtype?: DType,
  ): View;
  /** Runs a program on threads of its own; the result is a buffer of `length` elements. */
  launch(
    one: Program,
    arrays: readonly View[],
    numbers: Numbers,
    threads: readonly number[],
    length: number,
    dtype?: DType,
  ): View;
  /** Numbers from the host, a buffer of float32 or bool. */
  upload(data: () => Float32Array, length: number, dtype?: DType): View;
  /** A dense copy. */
  copy(x: View): View;
  /** The view itself where it is dense, wherever it begins, else a copy. */
  dense(x: View): View;
}

export const FILL = program('fill', { floats: ['value'], body: 'return value;' });

/** Elements of a view with `rank` axes in row-major order; axis 0 is the last. */
const gather = family<number>((rank) => {
  const sizes = Array.from({ length: Math.max(rank - 1, 0) }, (_, d) => `n${d}`);
  const steps = Array.from({ length: rank }, (_, d) => `s${d}`);
  const digit = (d: number) => (rank === 1 ? 'this.thread.x' : d === rank - 1 ? `~~q${d - 1}` : `~~d${d}`);
  const position = steps.map((s, d) => `${digit(d)} * ${s}`).join(' + ');
  return program(`gather${rank}`, {
    arrays: ['x'],
    integers: [...sizes, ...steps],
    body: `${digitsText(sizes)}
  return x[xAt + ${position}];`,
  });
});

/** Declares the digits d0, d1 … of thread x by radixes, and the quotient behind the last. */
export function digitsText(radixes: readonly string[], start = 'this.thread.x'): string {
  return radixes.map((n, d) => split(`q${d}`, `d${d}`, d === 0 ? start : `q${d - 1}`, n)).join('');
}

/** @throws Error where there are more rows, or longer ones, than `split` counts exactly */
export function requireCountable(what: string, rows: number, widths: readonly number[]): void {
  if (rows > MOST_ROWS)
    throw new Error(`gpujs: ${what}: ${rows} rows, expected at most ${MOST_ROWS}; reshape to longer rows`);
  const long = widths.find((n) => n >= LONGEST_ROW);
  if (long === undefined) return;
  throw new Error(
    `gpujs: ${what}: rows of ${long} elements, expected fewer than ${LONGEST_ROW}; reshape to shorter rows`,
  );
}

/** Threads, and so positions in a buffer, are int32 on every device. */
const LONGEST_BUFFER = 2 ** 31 - 1;

export function createEngine(device: Device, lane: Lane, store: Store, host: Backend): Engine {
  const contentOf = (slot: Slot<Held>): Content => {
    const held = slot.take();
    if (held === null || held instanceof Int32Array)
      throw new Error('gpujs: a kernel was given integers or nothing, expected numbers on the device');
    return held;
  };

  const launch: Engine['launch'] = (one, arrays, numbers, threads, length, dtype = 'float32') => {
    const { integers = [], floats = [] } = numbers;
    const slots = arrays.map((x) => store.slotOf(x));
    const offsets = arrays.map((x) => x.offset);
    const slot = lane.submit<Held>(() =>
      device.run({
        program: one,
        arrays: slots.map(contentOf),
        integers: [...offsets, ...integers],
        floats,
        threads,
      }),
    );
    return denseView(store.make(dtype, length, slot), [length]);
  };

  const compute: Engine['compute'] = (one, arrays, numbers, shape, dtype = 'float32') => {
    const n = sizeOf(shape);
    if (n === 0) return denseView(store.make(dtype, 0, Slot.of<Held>(null)), shape);
    if (n > LONGEST_BUFFER)
      throw new Error(`gpujs: ${one.name}: [${shape}] is ${n} elements, expected at most ${LONGEST_BUFFER}`);
    const { buffer } = launch(one, arrays, numbers, [device.residence.capacity(n)], n, dtype);
    return denseView(buffer, shape);
  };

  function copy(x: View): View {
    const { shape, strides } = mergeAxes(x.shape, [x.strides], 1);
    const sizes = shape.slice(1).reverse();
    if (sizes.length > 0) requireCountable('copy', sizeOf(x.shape) / sizes[0], sizes);
    const integers = [...sizes, ...strides[0].reverse()];
    return compute(gather(shape.length), [x], { integers }, x.shape, x.buffer.dtype);
  }

  return {
    device,
    lane,
    store,
    host,
    compute,
    launch,
    upload(data, length, dtype = 'float32') {
      const slot = length === 0 ? Slot.of<Held>(null) : lane.submit<Held>(() => device.upload(data()));
      return denseView(store.make(dtype, length, slot), [length]);
    },
    copy,
    dense: (x) => (isDense(x) ? x : copy(x)),
  };
}
