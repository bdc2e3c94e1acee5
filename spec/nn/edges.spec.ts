/** Refusals and rare turns of modules, losses and the optimiser. */
import { afterEach, describe, expect, it } from 'vitest';
import { cpu } from '../../src/kernels/cpu/index.ts';
import {
  AdamW,
  applyRotary,
  crossEntropy,
  Embedding,
  Linear,
  Parameter,
  warmupCosine,
  withCallTap,
} from '../../src/nn/index.ts';
import { setBackend, Tensor } from '../../src/tensor/index.ts';

afterEach(() => setBackend(cpu));

describe('embedding', () => {
  const table = new Embedding({ numEmbeddings: 4, embeddingDim: 2 });

  it('says which id is none, the first too', () => {
    expect(() => table.call([[7, 0]])).toThrow('id 7 at [0][0] is not one of the 4 rows of the table');
    expect(() => table.call([[0, 1], [1, 4]])).toThrow('id 4 at [1][1]'); // biome-ignore format: rows
  });

  it('says which row has another length, and that there are none', () => {
    expect(() => table.call([[0, 1], [1]])).toThrow('row 1 has 1 ids, row 0 has 2');
    expect(() => table.call([])).toThrow('needs at least one row');
  });
});

describe('cross entropy', () => {
  const logits = Tensor.zeros([2, 3]);

  it('says which label is none, the first too', () => {
    expect(() => crossEntropy(logits, [3, 0])).toThrow(
      'label 3 at 0 is neither one of the 3 classes nor -100',
    );
    expect(() => crossEntropy(logits, [0, 0.5])).toThrow('label 0.5 at 1');
  });
});

describe('gradients that an op does not give', () => {
  it('leave what the angles of a rotation come from without one', () => {
    const options = { dtype: 'float64', requiresGrad: true } as const;
    const x = Tensor.fromArray([1, 2], [1, 1, 1, 2], options);
    const theta = Tensor.fromArray([0.3], [1, 1, 1], options);
    const y = applyRotary(x, { cos: theta.cos(), sin: theta.sin() });
    y.sum().backward();
    expect(theta.grad).toBeNull();
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    expect([...(x.grad?.data ?? [])]).toEqual([c + s, c - s]);
  });
});

describe('loadStateDict', () => {
  const values = (...names: string[]) => new Map(names.map((name) => [name, Tensor.zeros([1, 1])]));
  const load = (given: ReadonlyMap<string, Tensor>) =>
    new Linear({ inFeatures: 1, outFeatures: 1, bias: false }).loadStateDict(given);

  it('refuses one missing, one unexpected and one misshapen key', () => {
    load(values('weight'));
    expect(() => load(values())).toThrow('1 missing, 0 unexpected, 0 misshapen');
    expect(() => load(values('weight', 'bias'))).toThrow('0 missing, 1 unexpected, 0 misshapen');
    expect(() => load(new Map([['weight', Tensor.zeros([1])]]))).toThrow(
      '0 missing, 0 unexpected, 1 misshapen',
    );
    expect(() => load(values('bias'))).toThrow('1 missing, 1 unexpected, 0 misshapen');
  });
});

describe('taps of calls', () => {
  it('hear of a call and its arguments before it fails', () => {
    const heard: unknown[][] = [];
    const linear = new Linear({ inFeatures: 2, outFeatures: 1, bias: false });
    const x = Tensor.zeros([1, 3]);
    const run = () =>
      withCallTap(
        (path, module, args) => heard.push([path, module, args]),
        () => linear.call(x),
      );
    expect(run).toThrow('needs shape [...,in] with in = 2');
    expect(heard).toEqual([['', linear, [x]]]);
    expect(() => linear.call(x)).toThrow();
    expect(heard.length).toBe(1);
  });
});

describe('AdamW', () => {
  it('changes nothing where there is no memory for all moments', async () => {
    let left = 3;
    await setBackend({
      ...cpu,
      fill: (shape, value, dtype) => {
        if (left-- === 0) throw new RangeError('out of memory');
        return cpu.fill(shape, value, dtype);
      },
    });
    const made = () => new Parameter(Tensor.fromArray([1, 2], [2]));
    const parameters = new Map([
      ['a', made()],
      ['b', made()],
    ]);
    for (const p of parameters.values()) p.backward(Tensor.fromArray([1, 1], [2]));
    const optimizer = new AdamW([{ parameters, weightDecay: 0.1 }]);
    expect(() => optimizer.step(0.1)).toThrow('out of memory');
    for (const p of parameters.values()) expect([...p.data]).toEqual([1, 2]);
    expect(optimizer.stepCount).toBe(0);
  });
});

describe('warmupCosine', () => {
  it('falls in one step where there is only one', () => {
    const lr = warmupCosine({ peak: 2, warmupSteps: 3, totalSteps: 4, finalRatio: 0.25 });
    expect([3, 4, 5].map(lr)).toEqual([2, 0.5, 0.5]);
  });
});
