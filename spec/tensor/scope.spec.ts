/** Memory: scopes give back what was made in them, and nothing else. Each spec counts on a backend of its own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cpu, createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { AdamW, Linear } from '../../src/nn/index.ts';
import { Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';

let memory: () => { readonly bytes: number; readonly buffers: number };

beforeEach(async () => {
  const backend = await setBackend(createCpuBackend());
  memory = () => backend.memory();
});
afterEach(() => setBackend(cpu));

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('scope', () => {
  it('gives back everything that was made inside', () => {
    const x = Tensor.ones([10]);
    expect(memory()).toEqual({ bytes: 40, buffers: 1 });
    const sum = scope(() => x.mul(2).add(1).sum().item());
    expect([sum, memory()]).toEqual([30, { bytes: 40, buffers: 1 }]);
  });

  it('spans await', async () => {
    const x = Tensor.ones([10]);
    const sum = await scope(async () => {
      const y = x.mul(2);
      await turn();
      const z = y.add(1);
      await turn();
      return (await z.sum().read())[0];
    });
    expect([sum, memory().buffers]).toEqual([30, 1]);
  });

  it('keeps what it returns: alone, in arrays, maps and objects, by view or by promise', async () => {
    const x = Tensor.ones([4]);
    const alone = scope(() => x.mul(2).add(1));
    const view = scope(() => x.mul(3).slice(0, 2));
    const { list, map } = scope(() => ({ list: [x.mul(4)], map: new Map([['y', x.mul(5)]]) }));
    const later = await scope(async () => {
      await turn();
      return [x.mul(6), null, 7] as const;
    });
    expect(memory().buffers).toBe(6);
    expect([alone, view, list[0], map.get('y'), later[0]].map((y) => y?.data[0])).toEqual([3, 3, 4, 5, 6]);
  });

  it('passes what it returns to the scope around it', () => {
    const x = Tensor.ones([4]);
    const total = scope(() => {
      const inner = scope(() => x.mul(2).mul(2));
      expect(memory().buffers).toBe(2);
      return inner.sum().item();
    });
    expect([total, memory().buffers]).toEqual([16, 1]);
  });

  it('keeps what keep() was called on, in scopes around it too, until it is disposed', () => {
    const x = Tensor.ones([4]);
    let kept = x;
    const inner = () => {
      kept = x.mul(2).keep();
      return kept.add(1).sum().item();
    };
    expect(scope(() => scope(inner))).toBe(12);
    expect([Array.from(kept.data), memory().buffers]).toEqual([[2, 2, 2, 2], 2]);
    scope(() => kept.dispose());
    expect(memory().buffers).toBe(1);
  });

  it('gives back after an error, thrown or rejected', async () => {
    const x = Tensor.ones([2]);
    expect(() => scope(() => x.mul(2).matmul(x))).toThrow('matmul(a, b)');
    await expect(
      scope(async () => {
        x.mul(2);
        await turn();
        throw new Error('later');
      }),
    ).rejects.toThrow('later');
    expect(memory().buffers).toBe(1);
    scope(() => x.mul(2));
    expect(memory().buffers).toBe(2); // the result that the last line returned
  });

  it('leaves tensors from outside alone, also those it returns again', () => {
    const x = Tensor.ones([2]);
    expect(scope(() => x)).toBe(x);
    scope(() => scope(() => [x, x.mul(2)])[1].dispose());
    expect([Array.from(x.data), memory().buffers]).toEqual([[1, 1], 1]);
  });

  it('says what happened to a tensor that was left inside', () => {
    let lost = Tensor.ones([2]);
    scope(() => {
      lost = lost.mul(2);
    });
    expect(() => lost.data).toThrow('the scope it was made in has ended; keep it out of the scope');
  });
});

describe('gradients', () => {
  it('of leaves survive the scope of the pass that made them; the rest does not', () => {
    const x = Tensor.from([2], { requiresGrad: true });
    for (let i = 1; i <= 3; i++) {
      scope(() => x.mul(x).mul(3).sum().backward());
      expect([x.grad?.item(), memory().buffers]).toEqual([12 * i, 2]);
    }
    x.zeroGrad();
    expect(memory().buffers).toBe(1);
  });

  it('cannot flow through a graph whose scope has ended', () => {
    const x = Tensor.from([2], { requiresGrad: true });
    const y = scope(() => x.exp().mul(x.exp()).sum());
    expect(() => y.backward()).toThrow('was released');
  });
});

describe('training', () => {
  it('holds parameters, gradients and moments, and not one buffer more from step to step', async () => {
    const rng = new Rng(1);
    const layer = scope(() => new Linear({ inFeatures: 3, outFeatures: 2, bias: true, rng }));
    const x = Tensor.randn([5, 3], rng);
    const optimizer = new AdamW([{ parameters: layer.namedParameters() }]);
    const step = () =>
      scope(async () => {
        optimizer.zeroGrad();
        const y = layer.call(x);
        const loss = y.mul(y).mean();
        loss.backward();
        optimizer.step(1e-2);
        return (await loss.read())[0];
      });
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) {
      losses.push(await step());
      expect(memory().buffers).toBe(2 * 4); // x is parked; weight and bias with gradient, m and v
    }
    expect(losses[4]).toBeLessThan(losses[0]);
  });
});
