/**
 * A function whose gradient is written by hand, and what tells whether it is right.
 *
 *   npx tsx examples/04-own-differentiable-function.ts
 */
import { defineFunction, Rng, setBackend, Tensor } from 'cogvlm-ts';
import { gradcheck } from 'cogvlm-ts/verify';

await setBackend('cpu'); // gradients are checked in float64, which gpujs does not compute in

// softplus(x) = ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|): written the second way it never overflows.
const softplus = defineFunction({
  name: 'softplus',
  forward: ([x]) => x.relu().add(x.abs().neg().exp().add(1).log()),
  backward: ({ inputs: [x], dy }) => [dy.mul(x.sigmoid())],
});

const rounded = (x: Tensor) => [...x.data].map((value) => Number(value.toFixed(3)));
const x = Tensor.from([-1000, 0, 1000], { dtype: 'float64', requiresGrad: true });
const y = softplus([x]);
y.sum().backward();
console.log('softplus', rounded(y));
if (x.grad !== null) console.log('gradient', rounded(x.grad));

// The same composed of other functions needs no gradient by hand, but at 1000 gives infinity.
console.log('composed', rounded(x.exp().add(1).log()));

// gradcheck compares `backward` with differences, for random numbers and a random gradient from above.
const z = Tensor.randn([3, 4], new Rng(1), { dtype: 'float64', requiresGrad: true });
gradcheck(() => softplus([z]), [z]);
console.log('gradcheck finds nothing');

// The gradient from above is easily forgotten. A sum would not show it: there it is 1.
const forgetful = defineFunction({
  name: 'forgetful',
  forward: ([x]) => softplus([x]),
  backward: ({ inputs: [x] }) => [x.sigmoid()],
});
try {
  gradcheck(() => forgetful([z]), [z]);
} catch (error) {
  console.log('and here:', (error as Error).message);
}
