/** What gradcheck leaves behind: nothing. */
import { describe, expect, it } from 'vitest';
import { Parameter } from '../../src/nn/index.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import { gradcheck } from '../../src/verify/gradcheck.ts';

const leaf = (seed: number) => Tensor.randn([3], new Rng(seed), { dtype: 'float64', requiresGrad: true });

function stateOf(x: Tensor) {
  return { values: [...x.data], grad: x.grad && [...x.grad.data], requiresGrad: x.requiresGrad };
}

describe('gradcheck leaves everything as it was', () => {
  it('gradients that are there, of inputs and of other leaves', () => {
    const [x, y, untouched] = [leaf(1), leaf(2), leaf(3)];
    x.mul(y).sum().backward();
    const before = [x, y, untouched].map(stateOf);
    const { grad } = x;
    gradcheck(() => x.mul(y).mul(untouched), [x]);
    expect([x, y, untouched].map(stateOf)).toEqual(before);
    expect(x.grad).toBe(grad);
    expect(untouched.grad).toBeNull();
  });

  it('graphs through the inputs, and whether a weight was assigned', () => {
    const w = new Parameter(leaf(1));
    const y = w.mul(w).sum();
    gradcheck(() => w.mul(w).mul(w), [w]);
    y.backward();
    expect(w.grad?.data).toEqual(w.detach().mul(2).data);
    expect(w.wasAssigned).toBe(false);
  });

  it('where it finds something, and where the function throws on its way', () => {
    const x = leaf(1);
    x.sum().backward();
    const before = stateOf(x);
    expect(() => gradcheck(() => x.mul(x.detach()), [x])).toThrow('is not what differences say');
    expect(stateOf(x)).toEqual(before);
    let calls = 0;
    const failing = () => {
      if (++calls === 3) throw new Error('no more');
      return x.mul(2);
    };
    expect(() => gradcheck(failing, [x])).toThrow('no more');
    expect(stateOf(x)).toEqual(before);
  });
});
