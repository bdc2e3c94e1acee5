/**
 * Tensors, and the gradient of whatever is computed with them.
 *
 *   npx tsx examples/01-tensors-and-gradients.ts
 */
import { Parameter, Rng, setBackend, Tensor } from 'cogvlm-ts';

await setBackend('wasm'); // 'cpu' is the specification, 'gpujs' runs on a GPU

const a = Tensor.from([
  [1, 2],
  [3, 4],
]);
console.log('a · a =', [...a.matmul(a).data]);

// A parameter is a tensor whose gradient is wanted: y = Σ (x w)², dy/dw = 2 xᵀ(x w).
const x = Tensor.randn([4, 2], new Rng(1));
const w = new Parameter(Tensor.from([[1], [-1]]));
const xw = x.matmul(w);
const y = xw.mul(xw).sum();
y.backward();
console.log('y =', y.item(), ' dy/dw =', [...(w.grad?.data ?? [])]);

// Gradient descent on a line through points: y = 3x − 1.
const xs = Tensor.from([[-1], [0], [1], [2]]);
const ys = Tensor.from([[-4], [-1], [2], [5]]);
const [slope, offset] = [new Parameter(Tensor.zeros([1, 1])), new Parameter(Tensor.zeros([1]))];
for (let step = 0; step < 200; step++) {
  const error = xs.matmul(slope).add(offset).sub(ys);
  error.mul(error).mean().backward();
  for (const p of [slope, offset]) {
    if (p.grad !== null) p.assign(p.detach().sub(p.grad.mul(0.1)));
    p.zeroGrad();
  }
}
console.log('slope', slope.item().toFixed(3), 'offset', offset.item().toFixed(3));
