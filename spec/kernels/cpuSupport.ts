/** What the cpu specs share: arrays laid out in memory in several ways, comparison, central differences. */
import { expect } from 'vitest';
import type { Backend, DType, View } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { denseStrides, HOST_ARRAY, sizeOf } from '../../src/kernels/views.ts';

export const cpu: Backend = createCpuBackend();

/** Plain numbers in row-major order, in no backend's hands. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Numbers in (−scale, scale) that differ from each other and have no pattern a kernel could fall in with. */
export function wave(shape: readonly number[], phase = 1, scale = 1.5): Values {
  const values = Array.from(
    { length: sizeOf(shape) },
    (_, i) => scale * Math.sin(phase + 2.39996 * i + i * i),
  );
  return { shape, values };
}

export function whole(shape: readonly number[], values: readonly number[]): Values {
  return { shape, values };
}

/** Where the elements lie; what lies between them is NaN (int32 and bool: a wrong number). */
export const LAYOUTS = ['dense', 'behind an offset', 'axes reversed in memory', 'every third'] as const;
export type Layout = (typeof LAYOUTS)[number];

export function on(x: Values, dtype: DType = 'float64', layout: Layout = 'dense'): View {
  const { shape } = x;
  const factor = layout === 'every third' ? 3 : 1;
  const offset = layout === 'dense' ? 0 : 5;
  const strides = (
    layout === 'axes reversed in memory' ? denseStrides(shape.toReversed()).reverse() : denseStrides(shape)
  ).map((step) => step * factor);
  const data = new HOST_ARRAY[dtype](offset + factor * sizeOf(shape) + 2).fill(
    dtype === 'bool' ? 1 : dtype === 'int32' ? 77 : Number.NaN,
  );
  for (const [i, index] of indices(shape).entries())
    data[offset + index.reduce((sum, k, axis) => sum + k * strides[axis], 0)] = x.values[i];
  return { buffer: cpu.upload(data), shape, strides, offset };
}

/** The axes named repeat their first slice: stride 0. */
export function repeated(view: View, shape: readonly number[], axes: readonly number[]): View {
  return { ...view, shape, strides: view.strides.map((step, axis) => (axes.includes(axis) ? 0 : step)) };
}

/** All indices of a shape in row-major order. */
export function indices(shape: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const n of shape) all = all.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i]));
  return all;
}

export function numbers(view: View): number[] {
  return [...cpu.readSync(view)];
}

const TOLERANCE = { float64: 1e-13, float32: 2e-7, int32: 0, bool: 0 } as const;

/** Shape, a fresh dense buffer, and every number to within `slack` times the rounding of the dtype. */
export function expectValues(got: View, want: Values, slack = 1): void {
  expect([...got.shape]).toEqual([...want.shape]);
  expect([...got.strides]).toEqual(denseStrides(want.shape));
  expect(got.buffer.length).toBe(sizeOf(want.shape));
  const tolerance = slack * TOLERANCE[got.buffer.dtype];
  const have = numbers(got);
  for (const [i, w] of want.values.entries()) {
    const close =
      Object.is(have[i], w) || have[i] === w || Math.abs(have[i] - w) <= tolerance * Math.max(1, Math.abs(w));
    if (!close) expect.fail(`element ${i} of [${want.shape}] is ${have[i]}, expected ${w}`);
  }
}

const STEP = 1e-5;

/**
 * Compares `gradients`, of L = Σ dy ⊙ f(inputs), with (L(x + h) − L(x − h)) / 2h for every element of every input. The
 * error of the difference is O(h²) + O(ε/h), some 1e-10.
 */
export function expectGradients(
  f: (inputs: readonly View[]) => View,
  inputs: readonly Values[],
  dy: Values,
  gradients: readonly View[],
): void {
  const loss = (changed: readonly Values[]) =>
    numbers(f(changed.map((x) => on(x)))).reduce((sum, y, i) => sum + dy.values[i] * y, 0);
  for (const [n, input] of inputs.entries()) {
    const gradient = numbers(gradients[n]);
    expect([...gradients[n].shape]).toEqual([...input.shape]);
    for (let i = 0; i < input.values.length; i++) {
      const moved = (h: number) =>
        inputs.map((x, m) => (m === n ? whole(x.shape, x.values.with(i, x.values[i] + h)) : x));
      const numeric = (loss(moved(STEP)) - loss(moved(-STEP))) / (2 * STEP);
      expect(
        Math.abs(gradient[i] - numeric),
        `input ${n}, element ${i}: gradient ${gradient[i]}, difference ${numeric}`,
      ).toBeLessThan(2e-9 * Math.max(1, Math.abs(numeric)));
    }
  }
}
