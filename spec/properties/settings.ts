/** On which backends properties are looked at, in which dtype, and for how long. */
import { openCpu } from '../../src/kernels/cpu/index.ts';
import { anySizes } from '../support/models.ts';
import type { Setting } from './property.ts';

/** 'quick' is for every day, 'thorough' for a report. */
export type Effort = 'quick' | 'thorough';

interface Place extends Pick<Setting, 'place' | 'backend' | 'dtype' | 'tolerance'> {
  readonly runs: Readonly<Record<Effort, number>>;
}

/**
 * Tolerances are three times and more what some thousand random models used of them. Where arithmetic is double inside
 * kernels, results differ by 2.4 times the noise at most; float32 kernels lose more in rare models (7.7 times on wasm, 10
 * on gpujs), where LayerNorm's gradient is the small difference of large numbers.
 */
const PLACES: readonly Place[] = [
  { place: 'cpu', backend: 'cpu', dtype: 'float64', tolerance: 8, runs: { quick: 20, thorough: 300 } },
  {
    place: 'cpu, strict',
    backend: openCpu({ strict: true }),
    dtype: 'float32',
    tolerance: 8,
    runs: { quick: 12, thorough: 200 },
  },
  { place: 'wasm', backend: 'wasm', dtype: 'float64', tolerance: 8, runs: { quick: 12, thorough: 200 } },
  { place: 'wasm', backend: 'wasm', dtype: 'float32', tolerance: 32, runs: { quick: 20, thorough: 300 } },
  // Compiles kernels for every shape it meets.
  { place: 'gpujs', backend: 'gpujs', dtype: 'float32', tolerance: 32, runs: { quick: 6, thorough: 60 } },
];

export function settings(effort: Effort): readonly Setting[] {
  return PLACES.map(({ runs, ...place }) => ({
    ...place,
    name: `${place.place}, ${place.dtype}`,
    runs: runs[effort],
    seed: 2311,
    sizes: anySizes,
  }));
}
