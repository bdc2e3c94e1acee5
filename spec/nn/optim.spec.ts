/** AdamW against the algorithm on single numbers, resuming, clipping, schedule. */
import { describe, expect, it } from 'vitest';
import { AdamW, clipGradNorm, Parameter, warmupCosine } from '../../src/nn/index.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import { expectClose } from '../support/agree.ts';

const parameter = (values: number[], dtype: 'float32' | 'float64' = 'float64') =>
  new Parameter(Tensor.from(values, { dtype }));

/** The gradient of step t at value p: any function will do. */
const slope = (p: number, t: number) => Math.sin(3 * p + t) + 0.2 * p;

function setGradient(p: Parameter, t: number): void {
  p.zeroGrad();
  p.backward(
    Tensor.from(
      Array.from(p.data, (v) => slope(v, t)),
      { dtype: p.dtype },
    ),
  );
}

interface Settings {
  readonly lr: (t: number) => number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly decay: number;
}

/** Ten steps of arXiv 1711.05101, algorithm 2, on one number, with the decay before the update as PyTorch has it. */
function scalarAdamW(start: number, { lr, betas: [b1, b2], eps, decay }: Settings): number {
  let [p, m, v] = [start, 0, 0];
  for (let t = 1; t <= 10; t++) {
    const g = slope(p, t);
    p = p - lr(t) * decay * p;
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    const mHat = m / (1 - b1 ** t);
    const vHat = v / (1 - b2 ** t);
    p = p - (lr(t) * mHat) / (Math.sqrt(vHat) + eps);
  }
  return p;
}

describe('AdamW', () => {
  it('does ten steps as the algorithm says, each group with its own rate and decay', () => {
    const values = [0.5, -2, 3];
    const lr = (t: number) => 0.1 / t;
    const [plain, decayed, slow] = [parameter(values), parameter(values), parameter(values)];
    const optimizer = new AdamW(
      [
        { parameters: new Map([['plain', plain]]) },
        { parameters: new Map([['decayed', decayed]]), weightDecay: 0.3 },
        { parameters: new Map([['slow', slow]]), weightDecay: 0.3, lrScale: 0.1 },
      ],
      { betas: [0.8, 0.9], eps: 1e-3 },
    );
    for (let t = 1; t <= 10; t++) {
      for (const p of [plain, decayed, slow]) setGradient(p, t);
      optimizer.step(lr(t));
    }
    const settings = { lr, betas: [0.8, 0.9], eps: 1e-3, decay: 0 } as const;
    const wanted = (s: Settings) => values.map((v) => scalarAdamW(v, s));
    expectClose(plain.data, wanted(settings), 1e-13, 'plain');
    expectClose(decayed.data, wanted({ ...settings, decay: 0.3 }), 1e-13, 'decayed');
    expectClose(slow.data, wanted({ ...settings, decay: 0.3, lr: (t) => 0.1 * lr(t) }), 1e-13, 'slow');
    expect(optimizer.stepCount).toBe(10);
  });

  it("has the paper's betas (0.9, 0.95) and ε 1e-8 unless told", () => {
    const p = parameter([0.5]);
    const optimizer = new AdamW([{ parameters: new Map([['p', p]]) }]);
    for (let t = 1; t <= 10; t++) {
      setGradient(p, t);
      optimizer.step(0.05);
    }
    const wanted = scalarAdamW(0.5, { lr: () => 0.05, betas: [0.9, 0.95], eps: 1e-8, decay: 0 });
    expect(p.item()).toBeCloseTo(wanted, 13);
  });

  it('leaves a parameter without a gradient alone, decay included', () => {
    const [p, idle] = [parameter([1]), parameter([1])];
    const both = new Map([
      ['p', p],
      ['idle', idle],
    ]);
    const optimizer = new AdamW([{ parameters: both, weightDecay: 0.5 }]);
    setGradient(p, 1);
    optimizer.step(0.1);
    expect(idle.item()).toBe(1);
    expect(p.item()).not.toBe(1);
    optimizer.zeroGrad();
    expect(p.grad).toBeNull();
  });

  it('counts for the bias corrections of a parameter only the steps in which it had a gradient', () => {
    const [often, sometimes] = [parameter([0.5]), parameter([0.5])];
    const both = new Map([
      ['often', often],
      ['sometimes', sometimes],
    ]);
    const optimizer = new AdamW([{ parameters: both }], { betas: [0.8, 0.9] });
    for (let t = 1; t <= 20; t++) {
      optimizer.zeroGrad();
      setGradient(often, t);
      if (t % 2 === 0) setGradient(sometimes, t / 2);
      optimizer.step(t % 2 === 0 ? 0.03 : 0.07);
    }
    const settings = { lr: () => 0.03, betas: [0.8, 0.9], eps: 1e-8, decay: 0 } as const;
    expect(sometimes.item()).toBeCloseTo(scalarAdamW(0.5, settings), 13);
    expect(optimizer.stepCount).toBe(20);
    expect(optimizer.state().skipped).toEqual(new Map([['sometimes', 10]]));
  });

  it('refuses a parameter in two groups', () => {
    const group = { parameters: new Map([['w', parameter([1])]]) };
    expect(() => new AdamW([group, group])).toThrow('AdamW(groups): parameter w is in two groups');
  });
});

describe('optimiser state', () => {
  const groups = (p: Parameter, q: Parameter) => [
    { parameters: new Map([['p', p]]), weightDecay: 0.1 },
    { parameters: new Map([['q', q]]), lrScale: 0.5 },
  ];
  const run = (optimizer: AdamW, ps: Parameter[], from: number, to: number) => {
    for (let t = from; t <= to; t++) {
      for (const p of ps) setGradient(p, t);
      optimizer.step(0.03);
    }
  };

  it.each(['float32', 'float64'] as const)(
    'saved, read back and loaded goes on bit for bit (%s)',
    (dtype) => {
      const rng = new Rng(4);
      const start = Array.from({ length: 20 }, () => rng.normal());
      const whole = [parameter(start, dtype), parameter([1, 2], dtype)];
      const uninterrupted = new AdamW(groups(whole[0], whole[1]));
      run(uninterrupted, whole, 1, 10);

      const first = [parameter(start, dtype), parameter([1, 2], dtype)];
      const before = new AdamW(groups(first[0], first[1]));
      run(before, first, 1, 6);
      // What a file would hold: plain numbers of the dtype.
      const copy = (x: Tensor) => Tensor.fromArray(x.data, x.shape, { dtype });
      const { step, tensors } = before.state();
      const saved = { step, tensors: new Map(Array.from(tensors, ([key, x]) => [key, copy(x)])) };
      const second = first.map((p) => new Parameter(copy(p)));
      const after = new AdamW(groups(second[0], second[1]));
      after.loadState(saved);
      expect(after.stepCount).toBe(6);
      run(after, second, 7, 10);
      for (const i of [0, 1]) expect(second[i].data).toEqual(whole[i].data);
      expect([...after.state().tensors.keys()].sort()).toEqual(['p.m', 'p.v', 'q.m', 'q.v']);
    },
  );

  it('loaded into an optimiser that was used, leaves nothing of what that had done', () => {
    const start = () => [parameter([1, -2]), parameter([0.5])];
    const fresh = start();
    const saver = new AdamW(groups(fresh[0], fresh[1]));
    run(saver, [fresh[0]], 1, 2); // q had no gradient yet: the state holds no moments of it
    const { step, tensors } = saver.state();
    expect([...tensors.keys()]).toEqual(['p.m', 'p.v']);
    const saved = { step, tensors: new Map(Array.from(tensors, ([key, x]) => [key, x.mul(1)])) };

    const [ps, qs] = [start(), start()];
    const [never, used] = [new AdamW(groups(ps[0], ps[1])), new AdamW(groups(qs[0], qs[1]))];
    run(used, qs, 5, 9);
    for (const [i, q] of qs.entries()) q.assign(start()[i]);
    for (const optimizer of [never, used]) optimizer.loadState(saved);
    expect([...used.state().tensors.keys()]).toEqual(['p.m', 'p.v']);
    run(never, ps, 3, 6);
    run(used, qs, 3, 6);
    for (const i of [0, 1]) expect(qs[i].data).toEqual(ps[i].data);
  });

  it('saved after steps without a gradient, goes on bit for bit', () => {
    const start = () => [parameter([1, -2]), parameter([0.5])];
    const [whole, first, second] = [start(), start(), start()];
    const [uninterrupted, before, after] = [whole, first, second].map(([p, q]) => new AdamW(groups(p, q)));
    for (const [optimizer, [p, q]] of [
      [uninterrupted, whole],
      [before, first],
    ] as const) {
      run(optimizer, [p, q], 1, 2);
      optimizer.zeroGrad();
      run(optimizer, [p], 3, 5);
    }
    after.loadState(before.state());
    for (const [i, q] of second.entries()) q.assign(first[i]);
    run(uninterrupted, whole, 6, 8);
    run(after, second, 6, 8);
    for (const i of [0, 1]) expect(second[i].data).toEqual(whole[i].data);
    expect(after.state().skipped).toEqual(new Map([['q', 3]]));
  });

  it('loads its own state', () => {
    const ps = [parameter([1]), parameter([2, 3])];
    const optimizer = new AdamW(groups(ps[0], ps[1]));
    run(optimizer, ps, 1, 3);
    const numbers = () => Array.from(optimizer.state().tensors, ([key, x]) => [key, ...x.data]);
    const before = numbers();
    optimizer.loadState(optimizer.state());
    expect(numbers()).toEqual(before);
  });

  it('refuses moments that belong to nothing, or of another shape', () => {
    const optimizer = new AdamW(groups(parameter([1]), parameter([1, 2])));
    const load = (key: string, shape: number[]) =>
      optimizer.loadState({ step: 1, tensors: new Map([[key, Tensor.zeros(shape, { dtype: 'float64' })]]) });
    expect(() => load('r.m', [1])).toThrow('AdamW.loadState: r.m belongs to no parameter of this optimiser');
    expect(() => load('q.v', [3])).toThrow('AdamW.loadState: q.v is [3], the parameter is [2]');
    expect(() => load('q.v', [2])).toThrow('AdamW.loadState: q.v is there, but not q.m');
    expect(() => load('q.x', [2])).toThrow('AdamW.loadState: q.x belongs to no parameter of this optimiser');
    expect(optimizer.state()).toEqual({ step: 0, tensors: new Map() });
  });

  it('refuses steps that cannot have been taken', () => {
    const optimizer = new AdamW(groups(parameter([1]), parameter([1, 2])));
    const load = (step: number, skipped: readonly (readonly [string, number])[] = []) =>
      optimizer.loadState({
        step,
        tensors: new Map(['p.m', 'p.v'].map((key) => [key, Tensor.ones([1], { dtype: 'float64' })])),
        skipped: new Map(skipped),
      });
    for (const step of [Number.NaN, -1, 1.5, 1e308]) {
      expect(() => load(step)).toThrow(`AdamW.loadState: step is ${step}, expected a whole number from 0 on`);
    }
    for (const steps of [Number.NaN, -1, 0.5, 4]) {
      expect(() => load(3, [['p', steps]])).toThrow(
        `AdamW.loadState: skipped has ${steps} steps of p, expected 0 to 3`,
      );
    }
    expect(() => load(3, [['q', 1]])).toThrow('AdamW.loadState: skipped names q, which has no moments');
    expect(optimizer.state()).toEqual({ step: 0, tensors: new Map() });
    load(3, [['p', 3]]);
    load(0);
    expect(optimizer.stepCount).toBe(0);
  });

  it('given back, is that of an optimiser that never took a step', () => {
    const ps = [parameter([1]), parameter([2, 3])];
    const optimizer = new AdamW(groups(ps[0], ps[1]));
    run(optimizer, ps, 1, 3);
    const { tensors } = optimizer.state();
    optimizer.dispose();
    for (const tensor of tensors.values()) expect(() => tensor.data).toThrow('was released');
    expect(optimizer.state()).toEqual({ step: 0, tensors: new Map() });
    for (const [i, start] of [[1], [2, 3]].entries()) ps[i].assign(Tensor.from(start, { dtype: 'float64' }));
    const fresh = [parameter([1]), parameter([2, 3])];
    run(optimizer, ps, 1, 2);
    run(new AdamW(groups(fresh[0], fresh[1])), fresh, 1, 2);
    for (const i of [0, 1]) expect(ps[i].data).toEqual(fresh[i].data);
  });
});

describe('clipGradNorm', () => {
  const withGradients = (...gradients: number[][]) =>
    gradients.map((g) => {
      const p = parameter(g.map(() => 0));
      p.backward(Tensor.from(g, { dtype: 'float64' }));
      return p;
    });

  it('scales all gradients by one factor, and returns the norm before', async () => {
    const ps = [...withGradients([3, 0], [4]), parameter([7])];
    expect(await clipGradNorm(ps, 1)).toBe(5);
    expectClose([...(ps[0].grad?.data ?? []), ...(ps[1].grad?.data ?? [])], [0.6, 0, 0.8], 1e-6, 'clipped');
    expect(ps[2].grad).toBeNull();
  });

  it('leaves gradients below the limit as they are', async () => {
    const ps = withGradients([3, 0], [4]);
    expect(await clipGradNorm(ps, 5.1)).toBe(5);
    expect([ps[0].grad?.data[0], ps[1].grad?.data[0]]).toEqual([3, 4]);
    expect(await clipGradNorm([], 1)).toBe(0);
  });
});

describe('clipGradNorm of gradients that are not finite, as PyTorch', () => {
  const clipped = async (...gradients: number[][]) => {
    const ps = gradients.map((g) => {
      const p = parameter(g.map(() => 0));
      p.backward(Tensor.from(g, { dtype: 'float64' }));
      return p;
    });
    const norm = await clipGradNorm(ps, 1);
    return { norm, gradients: ps.map((p) => Array.from(p.grad?.data ?? [])) };
  };

  it('NaN in one makes all NaN', async () => {
    const { norm, gradients } = await clipped([Number.NaN, 1], [2]);
    expect(norm).toBeNaN();
    expect(gradients).toEqual([[Number.NaN, Number.NaN], [Number.NaN]]);
  });

  it('an infinite one makes the others 0 and itself NaN', async () => {
    const { norm, gradients } = await clipped([Number.POSITIVE_INFINITY, 1], [2]);
    expect(norm).toBe(Number.POSITIVE_INFINITY);
    expect(gradients).toEqual([[Number.NaN, 0], [0]]);
  });
});

describe('warmupCosine', () => {
  const lr = warmupCosine({ peak: 2, warmupSteps: 4, totalSteps: 12, finalRatio: 0.1 });

  it('rises in equal steps, is at its peak after the warm-up, and follows half a cosine down', () => {
    const rates = Array.from({ length: 15 }, (_, step) => lr(step));
    expect(rates.slice(0, 4)).toEqual([0.5, 1, 1.5, 2]);
    expect(rates[4]).toBe(2);
    expectClose(
      [rates[6], rates[8], rates[10]],
      [0.25, 0.5, 0.75].map((p) => 2 * (0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * p)))),
      1e-15,
      'cosine',
    );
    for (const step of [12, 13, 14]) expect(rates[step]).toBeCloseTo(0.2, 15);
    for (let step = 5; step <= 12; step++) expect(rates[step]).toBeLessThan(rates[step - 1]);
  });

  it('ends at zero unless told, and can do without a warm-up', () => {
    expect(warmupCosine({ peak: 1, warmupSteps: 0, totalSteps: 10 })(10)).toBeCloseTo(0, 15);
    expect(warmupCosine({ peak: 1, warmupSteps: 0, totalSteps: 10 })(0)).toBe(1);
    expect(warmupCosine({ peak: 1, warmupSteps: 3, totalSteps: 3 })(3)).toBe(1);
  });
});
