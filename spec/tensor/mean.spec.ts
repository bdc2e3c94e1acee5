/** A mean is a quotient: 1/n is rounded, and n · (1/n) is not always 1. */
import { afterAll, describe, expect, it } from 'vitest';
import { type BACKEND_NAMES, type BackendOptions, createBackend } from '../../src/kernels/registry.ts';
import { scope, setBackend, Tensor } from '../../src/tensor/index.ts';

const LONGEST = 3000;
const LENGTHS = Array.from({ length: LONGEST }, (_, i) => i + 1);
/** Those of which the product with the reciprocal is not 1. */
const WRONG = {
  float64: LENGTHS.filter((n) => n * (1 / n) !== 1),
  float32: LENGTHS.filter((n) => Math.fround(n * Math.fround(1 / n)) !== 1),
};

const backends: readonly (readonly [string, (typeof BACKEND_NAMES)[number], BackendOptions])[] = [
  ['cpu', 'cpu', {}],
  ['cpu in float32', 'cpu', { cpu: { strict: true } }],
  ['wasm', 'wasm', { wasm: { threads: 1 } }],
  ['wasm without fused multiply-add', 'wasm', { wasm: { threads: 1, relaxed: false } }],
  ['gpujs', 'gpujs', {}],
];

afterAll(async () => {
  await setBackend('cpu');
});

it('products with the reciprocal would be wrong', () => {
  expect([WRONG.float64.length, WRONG.float32.length]).toEqual([286, 355]);
});

describe.each(backends)('on %s', (_, name, options) => {
  const dtypes: readonly ('float32' | 'float64')[] = name === 'gpujs' ? ['float32'] : ['float32', 'float64'];

  it.each(dtypes)('the mean of n ones is 1 in %s', async (dtype) => {
    const backend = await createBackend(name, options);
    await setBackend(backend);
    // A device compiles and waits for each length: those that the product gets wrong.
    const lengths = name === 'gpujs' ? WRONG[dtype].slice(0, 60) : LENGTHS;
    const wrong: number[] = [];
    await scope(async () => {
      const ones = Tensor.full([LONGEST], 1, { dtype });
      for (const n of lengths) {
        const [mean] = await ones.slice(0, 0, n).mean().read();
        const [ofRow] = await ones.slice(0, 0, n).mean(0, true).read();
        if (mean !== 1 || ofRow !== 1) wrong.push(n);
      }
    });
    expect(wrong).toEqual([]);
  });
});

it('its gradient is a quotient too', async () => {
  await setBackend('cpu');
  const lengths = LENGTHS.filter((n) => 3 * (1 / n) !== 3 / n).slice(0, 20);
  for (const n of lengths) {
    const x = Tensor.full([n], 2, { dtype: 'float64', requiresGrad: true });
    x.mean().mul(3).backward();
    expect([...(x.grad?.data ?? [])]).toEqual(new Array(n).fill(3 / n));
  }
});
