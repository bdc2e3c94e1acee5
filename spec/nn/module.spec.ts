/** Module: what it finds in its fields, loading with a report, freezing, taps. */
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import {
  type AnyModule,
  Constant,
  Linear,
  Module,
  Parameter,
  StateDictError,
  withTap,
} from '../../src/nn/index.ts';
import { Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';

class Block extends Module<[x: Tensor], Tensor> {
  readonly fc: Linear;
  readonly scale = new Parameter(Tensor.ones([1]));
  readonly table = new Constant(Tensor.from([5]));
  readonly absent: Linear | null = null;
  readonly width = 2;

  constructor(rng?: Rng) {
    super();
    this.fc = new Linear({ inFeatures: 2, outFeatures: 2, bias: true, rng });
  }

  forward(x: Tensor): Tensor {
    return this.fc.call(x).mul(this.scale);
  }
}

class Net extends Module<[x: Tensor], Tensor> {
  readonly layers: readonly Block[];
  readonly head: Linear;
  readonly sizes = [1, 2];

  constructor(rng?: Rng) {
    super();
    this.layers = [new Block(rng), new Block(rng)];
    this.head = new Linear({ inFeatures: 2, outFeatures: 1, bias: false, rng });
  }

  forward(x: Tensor): Tensor {
    return this.head.call(this.layers.reduce((h, layer) => layer.call(h), x));
  }
}

const PATHS = [
  'layers.0.scale',
  'layers.0.table',
  'layers.0.fc.weight',
  'layers.0.fc.bias',
  'layers.1.scale',
  'layers.1.table',
  'layers.1.fc.weight',
  'layers.1.fc.bias',
  'head.weight',
];

describe('fields', () => {
  it('are the paths: modules, arrays of modules, weights and constants, nothing else', () => {
    const net = new Net();
    expect([...net.stateDict().keys()].sort()).toEqual([...PATHS].sort());
    expect([...net.namedParameters().keys()].sort()).toEqual(
      PATHS.filter((p) => !p.endsWith('table')).sort(),
    );
    expect(net.stateDict().get('layers.1.fc.bias')).toBe(net.layers[1].fc.bias);
    expect(Array.from(net.children(), ([name]) => name)).toEqual(['layers.0', 'layers.1', 'head']);
  });

  it('weights are copies, rounded to their dtype, that need a gradient; constants do not', () => {
    const values = Tensor.from([0.1, 1]);
    const weight = new Parameter(values);
    values.assign(Tensor.zeros([2]));
    expect(weight.data).toEqual(Float32Array.of(0.1, 1));
    expect([weight.requiresGrad, new Constant(values).requiresGrad]).toEqual([true, false]);
  });
});

describe('requireGrad and zeroGrad', () => {
  it('reach every weight below, and only weights', () => {
    const net = new Net(new Rng(1));
    net.requireGrad(false);
    net.layers[1].requireGrad(true);
    const x = Tensor.ones([3, 2]);
    net.call(x).sum().backward();
    const moved = [...net.namedParameters()].flatMap(([path, { grad }]) => (grad === null ? [] : [path]));
    expect(moved.sort()).toEqual(['layers.1.fc.bias', 'layers.1.fc.weight', 'layers.1.scale']);
    expect(net.layers[1].table.requiresGrad).toBe(false);
    net.zeroGrad();
    expect([...net.namedParameters().values()].every(({ grad }) => grad === null)).toBe(true);
  });
});

describe('loadStateDict', () => {
  it('copies every value: the two models then agree and stay apart', () => {
    const [a, b] = [new Net(new Rng(1)), new Net(new Rng(2))];
    const x = Tensor.randn([3, 2], new Rng(3));
    expect(b.call(x).data).not.toEqual(a.call(x).data);
    b.loadStateDict(a.stateDict());
    expect(b.call(x).data).toEqual(a.call(x).data);
    a.head.weight.assign(Tensor.zeros([1, 2]));
    expect(b.head.weight.data).not.toEqual(a.head.weight.data);
  });

  it('casts to the dtype of the weight', () => {
    const net = new Net();
    const wide = [...net.stateDict()].map(
      ([key, t]) => [key, Tensor.full(t.shape, 0.1, { dtype: 'float64' })] as const,
    );
    net.loadStateDict(new Map(wide));
    expect(net.head.weight.data).toEqual(Float32Array.of(0.1, 0.1));
    expect(net.layers[0].table.data).toEqual(Float32Array.of(0.1));
  });

  it('lists missing, unexpected and misshapen keys together, and then changes nothing', () => {
    const net = new Net();
    const values = new Map(new Net(new Rng(1)).stateDict());
    values.delete('layers.0.scale');
    values.delete('layers.1.table');
    values.set('layers.2.scale', Tensor.ones([1]));
    values.set('head.weight', Tensor.ones([2, 1]));
    let thrown: unknown;
    try {
      net.loadStateDict(values);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StateDictError);
    const { message, missing, unexpected, misshapen } = thrown as StateDictError;
    expect(message).toBe(
      [
        'checkpoint does not fit the model: 2 missing, 1 unexpected, 1 misshapen',
        '  missing     layers.0.scale',
        '  missing     layers.1.table',
        '  unexpected  layers.2.scale',
        '  misshapen   head.weight: is [2,1], expected [1,2]',
      ].join('\n'),
    );
    expect([missing.length, unexpected, misshapen]).toEqual([
      2,
      ['layers.2.scale'],
      [{ key: 'head.weight', expected: [1, 2], got: [2, 1] }],
    ]);
    expect(net.layers[0].fc.weight.data).toEqual(new Float32Array(4));
  });
});

describe('loadStateDict that is not strict', () => {
  it('copies what fits, leaves the rest as it was, and says what that is', () => {
    const [net, other] = [new Net(new Rng(1)), new Net(new Rng(2))];
    const before = new Map([...net.stateDict()].map(([key, { data }]) => [key, data]));
    const values = other.stateDict();
    values.delete('layers.0.scale');
    values.set('classifier', Tensor.ones([1]));
    values.set('head.weight', Tensor.ones([2, 1]));
    const report = net.loadStateDict(values, { strict: false });
    expect(report).toEqual({
      missing: ['layers.0.scale'],
      unexpected: ['classifier'],
      misshapen: [{ key: 'head.weight', expected: [1, 2], got: [2, 1] }],
    });
    for (const [key, { data }] of net.stateDict()) {
      const stays = key === 'layers.0.scale' || key === 'head.weight';
      expect(data, key).toEqual(stays ? before.get(key) : values.get(key)?.data);
    }
    expect(net.layers[1].fc.weight.wasAssigned).toBe(true);
    expect(net.head.weight.wasAssigned).toBe(false);
  });

  it('has nothing to say where all fits, as the strict one', () => {
    const values = new Net(new Rng(1)).stateDict();
    const empty = { missing: [], unexpected: [], misshapen: [] };
    expect(new Net().loadStateDict(values, { strict: false })).toEqual(empty);
    expect(new Net().loadStateDict(values)).toEqual(empty);
  });

  it('never loads nothing: no key fits, or only by name', () => {
    const net = new Net();
    const load = (...keys: readonly (readonly [string, Tensor])[]) =>
      net.loadStateDict(new Map(keys), { strict: false });
    expect(() => load(['module.head.weight', Tensor.ones([1, 2])])).toThrow(StateDictError);
    expect(() => load(['module.head.weight', Tensor.ones([1, 2])])).toThrow(
      /^nothing fits the model: 9 missing, 1 unexpected, 0 misshapen\n {2}missing {5}layers\.0\.scale\n/,
    );
    expect(() => load(['head.weight', Tensor.ones([2, 1])])).toThrow('8 missing, 0 unexpected, 1 misshapen');
    expect(() => load()).toThrow('nothing fits the model: 9 missing, 0 unexpected, 0 misshapen');
    expect(net.head.weight.data).toEqual(new Float32Array(2));
  });
});

describe('taps', () => {
  it('hear of every module in the order in which they finish, with path and output', () => {
    const net = new Net(new Rng(1));
    const heard: [string, unknown, AnyModule][] = [];
    const y = withTap(
      (path, output, module) => heard.push([path, output, module]),
      () => net.call(Tensor.ones([1, 2])),
    );
    expect(heard.map(([path]) => path)).toEqual([
      'layers.0.fc',
      'layers.0',
      'layers.1.fc',
      'layers.1',
      'head',
      '',
    ]);
    expect(heard[5][1]).toBe(y);
    expect(heard[4][2]).toBe(net.head);
  });

  it('hear nothing after their call, also when it threw', () => {
    const net = new Net();
    let count = 0;
    const tap = () => {
      count++;
    };
    expect(() => withTap(tap, () => net.call(Tensor.ones([1, 3])))).toThrow('In layers.0.fc.');
    expect(count).toBe(0);
    net.call(Tensor.ones([1, 2]));
    expect(count).toBe(0);
  });
});

describe('names', () => {
  it('are those of the fields, also of a module that took the place of another', () => {
    const net = new Net(new Rng(1));
    net.call(Tensor.ones([1, 2]));
    Object.assign(net, { head: new Linear({ inFeatures: 5, outFeatures: 1, bias: false }) });
    expect(() => net.call(Tensor.ones([1, 2]))).toThrow('In head.');
  });

  it('reach taps of an async function after what it waits for', async () => {
    const net = new Net(new Rng(1));
    const heard: string[] = [];
    await withTap(
      (path) => heard.push(path),
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 0));
        net.call(Tensor.ones([1, 2]));
      },
    );
    expect(heard).toContain('layers.0.fc');
    const count = heard.length;
    net.call(Tensor.ones([1, 2]));
    expect(heard.length).toBe(count);
  });
});

describe('dispose', () => {
  it('gives back weights, constants and gradients', async () => {
    const backend = await setBackend(createCpuBackend());
    try {
      const net = scope(() => new Net(new Rng(1)));
      const weights = backend.memory().buffers;
      expect(weights).toBe([...net.state()].length);
      scope(() =>
        net
          .call(Tensor.ones([1, 2]))
          .sum()
          .backward(),
      );
      expect(backend.memory().buffers).toBeGreaterThan(weights);
      net.dispose();
      expect(backend.memory()).toEqual({ bytes: 0, buffers: 0 });
    } finally {
      await setBackend('cpu');
    }
  });
});
