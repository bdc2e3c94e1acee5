/** What the wasm specs share: both module variants, seeded numbers, views with awkward strides, and the comparison. */
import { expect } from 'vitest';
import type { Backend, HostArray, View } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { denseView, sizeOf } from '../../src/kernels/views.ts';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { createWasmBackend } from '../../src/kernels/wasm/index.ts';

export const cpu = createCpuBackend();

export const variants: readonly { name: string; wasm: Backend }[] = [
  { name: 'plain SIMD', wasm: createWasmBackend({ relaxed: false }) },
  ...(hasRelaxedSimd() ? [{ name: 'relaxed SIMD', wasm: createWasmBackend({ relaxed: true }) }] : []),
];

/** Numbers in (−scale, scale) from a linear congruential generator. */
export function numbers(n: number, seed: number, scale = 1): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

/** A view described before there is a backend, so that the same one can be made on two. */
export interface Sample {
  readonly data: HostArray;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

export function on(backend: Backend, { data, ...rest }: Sample): View {
  return { buffer: backend.upload(data), ...rest };
}

export function dense(shape: readonly number[], seed: number, scale = 1): Sample {
  const data = numbers(sizeOf(shape), seed, scale);
  const { strides, offset } = denseView({ dtype: 'float32', length: data.length }, shape);
  return { data, shape, strides, offset };
}

/** The same shape with the axes stored in the order of `storage` (outermost first) and room between the rows. */
export function stored(shape: readonly number[], storage: readonly number[], seed: number, gap = 3): Sample {
  const strides = shape.map(() => 0);
  let step = 1;
  for (const axis of [...storage].reverse()) {
    strides[axis] = step;
    step *= shape[axis] + (step === 1 ? gap : 0);
  }
  return { data: numbers(step + 5, seed), shape, strides, offset: 5 };
}

/** One slice, repeated along the axes named by stride 0. */
export function broadcast(sample: Sample, axes: readonly number[]): Sample {
  return { ...sample, strides: sample.strides.map((step, axis) => (axes.includes(axis) ? 0 : step)) };
}

/** Every element within `tolerance` times the greatest expected magnitude (at least `floor`); NaN equals NaN. */
export function expectClose(
  got: View,
  want: View,
  backend: Backend,
  tolerance: number,
  what = '',
  floor = 1e-30,
): void {
  expect([...got.shape], `${what} shape`).toEqual([...want.shape]);
  expect(got.buffer.dtype, `${what} dtype`).toBe(want.buffer.dtype);
  const g = backend.readSync(got);
  const w = cpu.readSync(want);
  let scale = floor;
  for (const x of w) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  for (let i = 0; i < w.length; i++) {
    const same = Object.is(g[i], w[i]) || g[i] === w[i] || Math.abs(g[i] - w[i]) <= tolerance * scale;
    if (!same)
      expect.fail(
        `${what}: element ${i} of [${want.shape}] is ${g[i]}, expected ${w[i]} ± ${tolerance * scale}`,
      );
  }
}
