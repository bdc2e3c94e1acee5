/** Kernels that work row by row: softmax, the norms, the activations. What bounds them is memory, so they count bytes. */
import { apply, swiglu as swigluOp, Tensor } from '../../src/index.ts';
import { type BenchCase, bytesOf, noise, opCase } from '../case.ts';

/** Softmax of square attention scores. With `causal` all is written, but only what may be seen, about half, is read. */
export function softmax(shape: readonly number[], causal: boolean): BenchCase {
  const columns = shape[shape.length - 1];
  const seen = causal ? [...shape.slice(0, -1), (columns + 1) / 2] : shape;
  return opCase(
    `softmax [${shape}]${causal ? ' causal' : ''}`,
    bytesOf(seen, shape),
    () => [noise(shape, 4)],
    (x) => x.softmax({ causal }),
  );
}

export function layerNorm(shape: readonly number[]): BenchCase {
  const width = [shape[shape.length - 1]];
  return opCase(
    `layerNorm [${shape}]`,
    bytesOf(shape, shape, width, width),
    () => [noise(shape), Tensor.ones(width), Tensor.zeros(width)],
    (x, weight, bias) => apply('layerNorm', [x, weight, bias], { eps: 1e-6 }),
  );
}

export function rmsNorm(shape: readonly number[]): BenchCase {
  const width = [shape[shape.length - 1]];
  return opCase(
    `rmsNorm [${shape}]`,
    bytesOf(shape, shape, width),
    () => [noise(shape), Tensor.ones(width)],
    (x, weight) => apply('rmsNorm', [x, weight], { eps: 1e-5 }),
  );
}

export function gelu(shape: readonly number[]): BenchCase {
  return opCase(
    `gelu [${shape}]`,
    bytesOf(shape, shape),
    () => [noise(shape, 4)],
    (x) => x.gelu(),
  );
}

export function swiglu(shape: readonly number[]): BenchCase {
  return opCase(
    `swiglu [${shape}]`,
    bytesOf(shape, shape, shape),
    () => [noise(shape, 4), noise(shape, 1, 1)],
    (gate, up) => swigluOp(gate, up),
  );
}
