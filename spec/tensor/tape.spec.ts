/** The tape: where it records, what it adds up, and how it lets go. */
import { describe, expect, it } from 'vitest';
import type { BufferHandle, View } from '../../src/kernels/backend.ts';
import { run } from '../../src/tensor/apply.ts';
import { concat, noGrad, ShapeError, Tensor } from '../../src/tensor/index.ts';
import type { Op } from '../../src/tensor/op.ts';

const leaf = (values: number[]) => Tensor.from(values, { dtype: 'float64', requiresGrad: true });
const gradOf = (x: Tensor) => Array.from(x.grad?.data ?? []);

describe('recording', () => {
  it('happens only where an input needs a gradient', () => {
    const constant = Tensor.ones([2]);
    const x = Tensor.ones([2], { requiresGrad: true });
    expect(constant.mul(2).node).toBeNull();
    expect(x.mul(2).node).not.toBeNull();
    expect(constant.mul(x).requiresGrad).toBe(true);
    expect(x.to('int32').requiresGrad).toBe(false);
    expect(x.gt(0).requiresGrad).toBe(false);
  });

  it('stops inside noGrad, also after an error in it', () => {
    const x = leaf([1]);
    const y = noGrad(() => x.mul(2));
    expect([y.requiresGrad, y.node]).toEqual([false, null]);
    expect(noGrad(() => noGrad(() => x.mul(2)).add(x)).requiresGrad).toBe(false);
    expect(() => noGrad(() => x.matmul(x))).toThrow(ShapeError);
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  it('spans await, and records again after it, also after a rejection', async () => {
    const x = Tensor.ones([2], { requiresGrad: true });
    const y = await noGrad(async () => {
      await Promise.resolve();
      return x.mul(2);
    });
    expect(y.requiresGrad).toBe(false);
    expect(x.mul(2).requiresGrad).toBe(true);
    await expect(noGrad(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  it('a graph may run through a part made under noGrad as through a constant', () => {
    const x = leaf([3]);
    const square = noGrad(() => x.mul(x));
    x.mul(square).sum().backward();
    expect(gradOf(x)).toEqual([9]);
  });
});

describe('backward', () => {
  it('adds up over two uses', () => {
    const x = leaf([3]);
    x.mul(x).add(x).add(x).sum().backward();
    expect(gradOf(x)).toEqual([8]);
  });

  it('adds up over two calls, until zeroGrad', () => {
    const x = leaf([3]);
    x.mul(2).sum().backward();
    x.mul(5).sum().backward();
    expect(gradOf(x)).toEqual([7]);
    x.zeroGrad();
    expect(x.grad).toBeNull();
    x.mul(5).sum().backward();
    expect(gradOf(x)).toEqual([5]);
  });

  it('meets a node with two users only after both', () => {
    const x = leaf([2]);
    const shared = x.mul(x); // 4, ∂ = 4
    const long = shared.mul(3).add(1).mul(shared); // 3s² + s, ∂/∂s = 6s + 1 = 25
    long.add(shared).sum().backward();
    expect(gradOf(x)).toEqual([26 * 4]);
  });

  it('reaches only leaves that require a gradient', () => {
    const [x, frozen] = [leaf([2]), Tensor.from([3], { dtype: 'float64' })];
    const middle = x.mul(frozen);
    middle.mul(middle).sum().backward();
    expect(gradOf(x)).toEqual([36]);
    expect([frozen.grad, middle.grad]).toEqual([null, null]);
  });

  it('asks an op only for the gradients that are needed', () => {
    const asked: string[] = [];
    const noting = (name: string, dy: View) => () => {
      asked.push(name);
      return dy;
    };
    const spy = opOf((dy) => [noting('a', dy), noting('b', dy)]);
    const x = leaf([1]);
    applied(spy, [x, Tensor.zeros([1], { dtype: 'float64' })])
      .sum()
      .backward();
    expect(asked).toEqual(['a']);
  });

  it('starts from a seed', () => {
    const x = leaf([1, 2]);
    x.mul(x).backward(Tensor.from([10, 100], { dtype: 'float64' }));
    expect(gradOf(x)).toEqual([20, 400]);
    expect(() => x.mul(2).backward()).toThrow('backward(x): seed: only one element can go without a seed');
  });

  it('refuses a seed of another shape or dtype', () => {
    const y = leaf([1, 2]).mul(2);
    expect(() => y.backward(Tensor.ones([1], { dtype: 'float64' }))).toThrow(
      'backward(seed): seed: needs shape [2]: seed is float64[1].',
    );
    expect(() => y.backward(Tensor.ones([2]))).toThrow('backward(x, seed): seed: dtypes differ');
  });

  it('of a leaf is its seed; of a constant an error', () => {
    const x = leaf([1, 2]);
    x.backward(Tensor.from([3, 4], { dtype: 'float64' }));
    expect(gradOf(x)).toEqual([3, 4]);
    expect(() => Tensor.ones([]).backward()).toThrow(
      'does not depend on any tensor that requires a gradient',
    );
  });

  it('gives every leaf a gradient of its own', () => {
    const [a, b] = [leaf([1]), leaf([2])];
    a.add(b).sum().backward();
    a.grad?.assign(Tensor.from([50], { dtype: 'float64' }));
    expect([gradOf(a), gradOf(b)]).toEqual([[50], [1]]);
  });

  it('sums a broadcast gradient to the shape of its input', () => {
    const row = leaf([1, 2, 3]);
    const scalar = Tensor.from(2, { dtype: 'float64', requiresGrad: true });
    const x = Tensor.ones([2, 2, 3], { dtype: 'float64' });
    x.mul(row).mul(scalar).sum().backward();
    expect([row.grad?.shape, gradOf(row)]).toEqual([[3], [8, 8, 8]]);
    expect([scalar.grad?.shape, gradOf(scalar)]).toEqual([[], [24]]);
  });

  it('is not recorded itself', () => {
    const x = leaf([2]);
    x.mul(x).sum().backward();
    expect([x.grad?.requiresGrad, x.grad?.node]).toEqual([false, null]);
  });

  it('a detached tensor shares the elements but hides its past', () => {
    const x = leaf([3]);
    const square = x.mul(x);
    const constant = square.detach();
    expect(constant.view.buffer).toBe(square.view.buffer);
    constant.mul(x).sum().backward();
    expect(gradOf(x)).toEqual([9]);
  });
});

describe('a used graph', () => {
  it('cannot be used again', () => {
    const x = leaf([2]);
    const y = x.mul(x).sum();
    y.backward();
    expect(() => y.backward()).toThrow('backward(): the graph through reshape was used already');
    expect(gradOf(x)).toEqual([4]);
  });

  it('cannot be used through another end of it', () => {
    const x = leaf([2]);
    const trunk = x.mul(x);
    const [left, right] = [trunk.exp().sum(), trunk.log().sum()];
    left.backward();
    expect(() => right.backward()).toThrow('backward(): the graph through mul was used already');
  });

  it('lets go of what led to it', () => {
    const y = leaf([2]).exp().sum();
    y.backward();
    const { node } = y;
    if (node === null) throw new Error('y is not on the tape');
    const made: BufferHandle[] = [];
    node.letGo(made);
    expect([node.inputs, made]).toEqual([[], []]);
    expect(() => node.pullback(y.view)).toThrow('reshape: its graph was used already');
  });
});

describe('depth and width', () => {
  it('100,000 ops in a row do not overflow the stack', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 100_000; i++) y = y.neg();
    y.sum().backward();
    expect(gradOf(x)).toEqual([1]);
  });

  it('one tensor used 2,000 times adds up 2,000 times', () => {
    const x = leaf([1]);
    concat(Array.from({ length: 2000 }, () => x))
      .sum()
      .backward();
    expect(gradOf(x)).toEqual([2000]);
  });

  it('a ladder of 60 doublings is walked once per node, not once per path', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 60; i++) y = y.add(y);
    y.sum().backward();
    expect(gradOf(x)).toEqual([2 ** 60]);
  });
});

/** A record whose value is its first input and whose gradients are as told. */
function opOf(gradients: (dy: View) => ReturnType<Op<object>['backward']>): Op<object> {
  return {
    name: 'fake',
    inputs: ['first', 'second'],
    check: () => {},
    forward: (k, [x]) => ({ out: k.copy(x) }),
    backward: ({ dy }) => gradients(dy),
  };
}

function applied(op: Op<object>, inputs: readonly Tensor[]): Tensor {
  const { view, node } = run(inputs[0].backend, op, inputs, {});
  return new Tensor(inputs[0].backend, view, node);
}

describe('an op whose gradient is wrong', () => {
  it('is named with its input where the shape is another', () => {
    const [a, b] = [leaf([1, 2]), leaf([1, 2, 3])];
    const y = applied(
      opOf((dy) => [() => dy, () => dy]),
      [a, b],
    );
    expect(() => y.sum().backward()).toThrow(
      'fake backward(second, gradient): second: the gradient has another shape or dtype than its input: ' +
        'second is float64[3], gradient is float64[2].',
    );
  });

  it('is named where the dtype is another', () => {
    const a = leaf([1, 2]);
    const y = applied(
      opOf((dy) => [() => a.backend.cast(dy, 'float32')]),
      [a],
    );
    expect(() => y.sum().backward()).toThrow('first is float64[2], gradient is float32[2].');
  });
});
