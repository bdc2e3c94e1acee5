/** Tensors from the samples that every primitive carries. */
import type { DType } from '../../src/kernels/backend.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import type { Sample, SampleInput } from '../../src/tensor/op.ts';

const size = (shape: readonly number[]) => shape.reduce((n, m) => n * m, 1);

function valuesOf(input: SampleInput, rng: Rng): number[] {
  if (input.values !== undefined) return [...input.values];
  const [low, high] = input.range ?? [-2, 2];
  return Array.from({ length: size(input.shape) }, () => low + (high - low) * rng.uniform());
}

/** The values as a tensor that lies in memory as the sample asks. */
function laidOut(input: SampleInput, values: readonly number[], dtype: DType, requiresGrad: boolean): Tensor {
  const { shape, layout = 'dense' } = input;
  const dense = Tensor.fromArray(values, shape, { dtype });
  let leaf = dense;
  if (layout === 'transposed')
    leaf = Tensor.fromArray(dense.transpose().data, dense.transpose().shape, { dtype }).transpose();
  if (layout === 'strided') {
    // Every second element of a buffer twice as long; what lies between is NaN and must never be read.
    const spread = Tensor.full([...shape.slice(0, -1), shape[shape.length - 1], 2], Number.NaN, { dtype });
    const last = spread.slice(-1, 0, 1).reshape(...shape);
    last.assign(dense);
    leaf = last;
  }
  const made = new Tensor(leaf.backend, leaf.view, null, requiresGrad);
  return made;
}

/** Inputs of a sample in the given float dtype; integer and bool inputs keep theirs. */
export function sampleTensors(
  sample: Sample<unknown>,
  seed: number,
  float: DType = 'float64',
  grad = false,
): Tensor[] {
  const rng = new Rng(seed);
  const made: Tensor[] = [];
  for (const input of sample.inputs) {
    const dtype = input.dtype ?? float;
    const isFloat = dtype === 'float32' || dtype === 'float64';
    if (input.layout === 'same') made.push(made[made.length - 1]);
    else made.push(laidOut(input, valuesOf(input, rng), dtype, grad && isFloat && input.constant !== true));
  }
  return made;
}
