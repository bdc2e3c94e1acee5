/** Tensors from the samples that every primitive carries: seeded float32 numbers, laid out in memory as the sample asks. */
import { type DType, sizeOf } from '../kernels/index.ts';
import type { Sample, SampleInput } from '../tensor/cases.ts';
import { type Rng, Tensor } from '../tensor/index.ts';

export type FloatDType = 'float32' | 'float64';

/** A seed from a name, so that a new sample changes no other (FNV-1a). */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  return hash >>> 0;
}

/** Uniform numbers that float32 holds exactly. */
export function float32Numbers(n: number, rng: Rng, low: number, high: number): number[] {
  return Array.from({ length: n }, () => Math.fround(low + (high - low) * rng.uniform()));
}

/** The numbers of each input in row-major order; null where it is the input before it. */
export function sampleNumbers(sample: Sample<unknown>, rng: Rng): (readonly number[] | null)[] {
  return sample.inputs.map((input) => {
    if (input.layout === 'same') return null;
    if (input.values !== undefined)
      return input.values.map((v) => (input.dtype === undefined ? Math.fround(v) : v));
    const [low, high] = input.range ?? [-2, 2];
    return float32Numbers(sizeOf(input.shape), rng, low, high);
  });
}

/** Row-major numbers of a matrix of the last two axes, transposed. */
function transposed(numbers: readonly number[], shape: readonly number[]): number[] {
  const [rows, columns] = shape.slice(-2);
  const each = rows * columns;
  return numbers.map((_, i) => {
    const [matrix, place] = [Math.floor(i / each), i % each];
    return numbers[matrix * each + (place % rows) * columns + Math.floor(place / rows)];
  });
}

/** The numbers as a tensor that lies in memory as the sample asks. */
function laidOut({ shape, layout = 'dense' }: SampleInput, numbers: readonly number[], dtype: DType): Tensor {
  if (layout === 'transposed') {
    const [rows, columns] = shape.slice(-2);
    const swapped = [...shape.slice(0, -2), columns, rows];
    return Tensor.fromArray(transposed(numbers, shape), swapped, { dtype }).transpose();
  }
  if (layout === 'strided') {
    // Every second element of a buffer twice as long; what lies between, NaN where there is one, must never be read.
    const gap = dtype === 'int32' ? -77 : Number.NaN;
    const spread = numbers.flatMap((v) => [v, gap]);
    return Tensor.fromArray(spread, [...shape, 2], { dtype })
      .slice(-1, 0, 1)
      .reshape(...shape);
  }
  return Tensor.fromArray(numbers, shape, { dtype });
}

/** Whether a gradient flows to an input. */
export function hasGradient({ dtype, constant }: SampleInput): boolean {
  return (dtype === undefined || dtype === 'float32' || dtype === 'float64') && constant !== true;
}

/** Inputs of a sample in the given float dtype; integer and bool inputs keep theirs. */
export function sampleTensors(
  sample: Sample<unknown>,
  rng: Rng,
  float: FloatDType,
  requiresGrad = false,
): Tensor[] {
  const made: Tensor[] = [];
  for (const [i, numbers] of sampleNumbers(sample, rng).entries()) {
    const input = sample.inputs[i];
    if (numbers === null) {
      made.push(made[i - 1]);
      continue;
    }
    const { backend, view } = laidOut(input, numbers, input.dtype ?? float);
    made.push(new Tensor(backend, view, null, requiresGrad && hasGradient(input)));
  }
  return made;
}
