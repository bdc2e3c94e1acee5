/** Functions with a gradient of one's own: value, gradient, attributes, saved values, modules, and what is wrong said by name. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Linear } from '../../src/nn/index.ts';
import { defineFunction, noGrad, Rng, setBackend, Tensor } from '../../src/tensor/index.ts';
import { gradcheck } from '../../src/verify/gradcheck.ts';

const float64 = (shape: number[], seed = 1) =>
  Tensor.randn(shape, new Rng(seed), { dtype: 'float64', requiresGrad: true });

/** eᵏˣ·y, whose exponential is saved for the gradient. */
const scaledExp = defineFunction<{ k: number }>({
  name: 'scaledExp',
  forward([x, y], { k }) {
    const e = x.mul(k).exp();
    return { out: e.mul(y), saved: [e] };
  },
  backward: ({ attrs: { k }, out, saved: [e], dy }) => [dy.mul(out).mul(k), dy.mul(e)],
});

const square = (backward: (x: Tensor, dy: Tensor) => readonly (Tensor | null)[]) =>
  defineFunction({
    name: 'square',
    forward: ([x]) => x.mul(x),
    backward: ({ inputs: [x], dy }) => backward(x, dy),
  });

beforeEach(() => setBackend('cpu'));
afterAll(() => setBackend('cpu'));

describe.each(['cpu', 'wasm', 'gpujs'] as const)('on %s', (name) => {
  it('gives its value and its own gradient', async () => {
    await setBackend(name);
    const x = Tensor.from([1, -2, 3], { requiresGrad: true });
    // Not the true gradient: it is ours that has to arrive.
    const y = square((_x, dy) => [dy.mul(100)])([x]);
    expect([...y.data]).toEqual([1, 4, 9]);
    y.sum().backward();
    expect([...(x.grad as Tensor).data]).toEqual([100, 100, 100]);
  });
});

describe('a function of one’s own', () => {
  it('is checked by differences, with attributes and saved values', () => {
    const [x, y] = [float64([2, 3]), float64([2, 3], 2)];
    gradcheck(() => scaledExp([x, y], { k: 0.7 }), [x, y]);
    gradcheck(() => scaledExp([x, x], { k: 0.7 }), [x]);
    const wrong = square((z, dy) => [dy.mul(z)]);
    expect(() => gradcheck(() => wrong([x]), [x])).toThrow(
      'the gradient by inputs[0] is not what differences say',
    );
  });

  it('is part of a graph, in a module and between other ops', () => {
    const linear = new Linear({
      inFeatures: 3,
      outFeatures: 2,
      bias: true,
      dtype: 'float64',
      rng: new Rng(3),
    });
    const x = float64([4, 3]);
    const right = square((z, dy) => [dy.mul(z).mul(2)]);
    gradcheck(() => right([linear.call(x).tanh()]).sum(), [x, ...linear.namedParameters().values()]);
  });

  it('records nothing where nothing is wanted', () => {
    const f = square((z, dy) => [dy.mul(z).mul(2)]);
    expect(noGrad(() => f([float64([2])])).requiresGrad).toBe(false);
    expect(f([Tensor.from([1, 2])]).requiresGrad).toBe(false);
  });

  it('may have inputs without a gradient', () => {
    const [x, y] = [float64([2]), float64([2], 2)];
    const f = defineFunction({
      name: 'first',
      forward: ([a, b]) => a.mul(b),
      backward: ({ inputs: [, b], dy }) => [dy.mul(b), null],
    });
    f([x, y]).sum().backward();
    expect([...(x.grad as Tensor).data]).toEqual([...y.data]);
    expect([...(y.grad as Tensor).data]).toEqual([0, 0]);
  });
});

describe('what is wrong is said with its name', () => {
  const x = () => float64([2, 3]);

  it.each([
    [
      'too few gradients',
      () => [],
      'square: backward gave 0 gradients, expected 1, one for each input or null',
    ],
    [
      'another shape',
      (_z: Tensor, dy: Tensor) => [dy.sum()],
      'square backward(input0, gradient): input0: the gradient has another shape or dtype than its input: input0 is float64[2,3], gradient is float64[]',
    ],
    ['more axes', (_z: Tensor, dy: Tensor) => [dy.expand(4, 2, 3)], 'gradient is float64[4,2,3]'],
    [
      'another dtype',
      (_z: Tensor, dy: Tensor) => [dy.to('float32')],
      'input0 is float64[2,3], gradient is float32[2,3]',
    ],
  ])('%s', (_, backward, says) => {
    const y = square(backward)([x()]).sum();
    expect(() => y.backward()).toThrow(says);
  });

  it('which of several inputs', () => {
    const f = defineFunction({
      name: 'product',
      forward: ([a, b]) => a.mul(b),
      backward: ({ inputs: [a, b], dy }) => [dy.mul(b), dy.mul(a).to('float32')],
    });
    expect(() => f([x(), x()]).sum().backward()).toThrow('input1 is float64[2,3], gradient is float32[2,3]'); // biome-ignore format: one call
  });

  it('a result that is no tensor', () => {
    const giving = (result: unknown) =>
      defineFunction({ name: 'empty', forward: () => result as never, backward: () => [] });
    const f = giving(undefined);
    expect(() => f([x()])).toThrow('empty: forward gave undefined, expected a Tensor');
    expect(() => giving(null)([x()])).toThrow('empty: forward gave null, expected a Tensor');
    expect(() => f([])).toThrow('empty: needs at least one input');
  });
});
