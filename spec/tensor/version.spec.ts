/** A gradient is computed from the values of the forward pass, or not at all. */
import { describe, expect, it } from 'vitest';
import { AdamW } from '../../src/nn/index.ts';
import { noGrad, Tensor } from '../../src/tensor/index.ts';

const leaf = (values: number[]) => Tensor.from(values, { dtype: 'float64', requiresGrad: true });
const constant = (values: number[]) => Tensor.from(values, { dtype: 'float64' });

describe('a value changed in place after the forward pass', () => {
  it('is refused where the gradient needs it: op, input, versions', () => {
    const [x, w] = [leaf([3]), leaf([2])];
    const y = x.mul(w).sum();
    w.assign(constant([100]));
    expect(() => y.backward()).toThrow(
      'backward(): input b of mul, float64[1], was changed in place after the forward pass: its gradient needs the ' +
        'values of version 0, it is at version 1.',
    );
    expect(x.grad).toBeNull();
  });

  it('is refused as a result that the gradient is made of, through a view, and after a step of the optimiser', () => {
    const x = leaf([1, 2]);
    const y = x.exp();
    y.slice(0, 0, 1).assign(constant([0]));
    expect(() => y.sum().backward()).toThrow('the result of exp');
    const w = leaf([2]);
    const loss = w.mul(w).sum();
    const again = w.mul(w).sum();
    loss.backward();
    new AdamW([{ parameters: new Map([['w', w]]) }]).step(0.1);
    expect(() => again.backward()).toThrow(/input [ab] of mul/);
  });

  it('is none of the gradient`s concern where only its shape matters, or it takes no part', () => {
    const [x, w] = [leaf([3]), leaf([2])];
    const y = x.add(w).sum();
    w.assign(constant([7]));
    y.backward();
    expect([x.grad?.item(), w.grad?.item()]).toEqual([1, 1]);
    const [a, b] = [leaf([3]), constant([2])];
    const z = a.mul(b).sum();
    noGrad(() => a.assign(constant([5]))); // a's own gradient is b
    z.backward();
    expect(a.grad?.item()).toBe(2);
  });

  it('may be changed before the pass, and after backward', () => {
    const w = leaf([2]);
    w.assign(constant([4]));
    w.mul(w).sum().backward();
    w.assign(constant([1]));
    expect(w.grad?.item()).toBe(8);
    w.zeroGrad();
    w.mul(w).sum().backward();
    expect(w.grad?.item()).toBe(2);
  });
});
