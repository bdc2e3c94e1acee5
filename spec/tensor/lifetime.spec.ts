/** Loops that nobody wrote a scope around: memory is flat, and what somebody holds can be read. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { createBackend } from '../../src/kernels/registry.ts';
import { AdamW, Linear, Module } from '../../src/nn/index.ts';
import { noGrad, Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';

afterEach(() => setBackend('cpu'));

const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  cpu: async () => createCpuBackend(),
  wasm: () => createBackend('wasm', { wasm: { threads: 1 } }),
  gpujs: () => createBackend('gpujs', { gpujs: { mode: 'webasm' } }),
};

class Net extends Module<[x: Tensor], Tensor> {
  readonly first: Linear;
  readonly second: Linear;
  /** The last hidden values, when they are asked for. */
  hidden: Tensor | null = null;
  leaked: Tensor | null = null;
  holds: 'nothing' | 'field' | 'closure' = 'nothing';

  constructor(rng: Rng) {
    super();
    this.first = new Linear({ inFeatures: 3, outFeatures: 4, bias: true, rng });
    this.second = new Linear({ inFeatures: 4, outFeatures: 1, bias: true, rng });
  }

  forward(x: Tensor): Tensor {
    const hidden = this.first.call(x).tanh();
    if (this.holds === 'field') this.hidden = hidden;
    if (this.holds === 'closure') seen = hidden;
    return this.second.call(hidden);
  }
}

let seen: Tensor | null = null;

for (const [name, create] of Object.entries(backends)) {
  describe(`memory of ${name} without a scope`, () => {
    /** A model, and a step as a PyTorch user writes it. */
    async function training(): Promise<{ backend: Backend; net: Net; step: () => Tensor; rng: Rng }> {
      const backend = await setBackend(await create());
      const rng = new Rng(1);
      const net = new Net(rng);
      const optimizer = new AdamW([{ parameters: net.namedParameters() }]);
      const step = () => {
        const x = Tensor.randn([5, 3], rng);
        const loss = net.call(x).sub(1).pow(2).mean();
        loss.backward();
        optimizer.step(1e-2);
        optimizer.zeroGrad();
        return loss;
      };
      return { backend, net, step, rng };
    }

    it('is the same after every step, sync and async', async () => {
      const { backend, step } = await training();
      const first = step().item();
      const after = backend.memory();
      for (let i = 0; i < 60; i++) step().item();
      expect(backend.memory()).toEqual(after);
      let last = 0;
      for (let i = 0; i < 60; i++) last = (await step().read())[0];
      expect(backend.memory()).toEqual(after);
      expect(last).toBeLessThan(first);
    });

    it('does not grow in JavaScript either', async () => {
      setFlagsFromString('--expose-gc');
      const collect: () => void = runInNewContext('gc');
      const { step } = await training();
      const heap = async (steps: number) => {
        for (let i = 0; i < steps; i++) step().item();
        await new Promise((turn) => setTimeout(turn, 0));
        collect();
        return process.memoryUsage().heapUsed;
      };
      const after = await heap(100);
      expect((await heap(1000)) - after).toBeLessThan(1.5e6);
    });

    it('holds a bounded number of values that nobody kept under noGrad, and all can be read', async () => {
      const { backend, net, rng } = await training();
      const before = backend.memory().buffers;
      const outputs: Tensor[] = [];
      noGrad(() => {
        for (let i = 0; i < 300; i++) {
          const y = net
            .call(Tensor.randn([5, 3], rng))
            .mul(2)
            .sum();
          outputs.push(y);
          y.item();
        }
      });
      expect(backend.memory().buffers - before).toBeLessThanOrEqual(64);
      expect(outputs.every((y) => Number.isFinite(y.item()))).toBe(true);
      expect(outputs[0].add(0).item()).toBe(outputs[0].item());
    });

    it('leaves losses, logits and inputs of past steps readable and usable', async () => {
      const { net, rng } = await training();
      const x = Tensor.randn([5, 3], rng);
      const input = x.data;
      const y = net.call(x);
      const values = y.data;
      const loss = y.pow(2).mean();
      loss.backward();
      net.zeroGrad();
      expect([y.data, x.data]).toEqual([values, input]);
      expect(loss.item()).toBeCloseTo(y.detach().pow(2).mean().item(), 6);
      expect(net.call(x).data).toEqual(values);
    });

    it('keeps what a module holds in a field; what it hid away says who gave it back', async () => {
      const { net, rng } = await training();
      const x = Tensor.randn([5, 3], rng);
      net.holds = 'field';
      net.call(x).sum().backward();
      expect(net.hidden?.data.length).toBe(20);
      net.holds = 'closure';
      net.call(x).sum().backward();
      expect(() => seen?.data).toThrow('backward() gave it back: it was made inside a module');
      noGrad(() => net.call(x));
      expect(() => seen?.data).toThrow('it was made inside a module, which neither returned it');
    });

    it('goes through a graph again that was retained, and gives it back after that', async () => {
      const { backend, net, rng } = await training();
      const x = Tensor.randn([5, 3], rng).keep();
      const weight = net.first.weight;
      net.call(x).sum().backward();
      const once = weight.grad?.data;
      net.zeroGrad();
      const before = backend.memory().buffers;
      const y = net.call(x).sum();
      y.backward(undefined, { retainGraph: true });
      expect(weight.grad?.data).toEqual(once);
      y.backward();
      expect(Array.from(weight.grad?.data ?? [])).toEqual(Array.from(once ?? [], (g) => Math.fround(2 * g)));
      net.zeroGrad();
      expect(backend.memory().buffers).toBe(before);
      expect(() => y.backward()).toThrow('was used already; run the forward pass again, or keep it with');
    });

    it('has scopes that mean what they meant: the end of one gives back, whatever backward does', async () => {
      const { backend, net, rng } = await training();
      const before = backend.memory().buffers;
      const y = scope(() => {
        const inner = net.call(Tensor.randn([5, 3], rng));
        inner.sum().backward();
        net.zeroGrad();
        return inner;
      });
      expect(y.data.length).toBe(5);
      y.dispose();
      expect(backend.memory().buffers).toBe(before);
    });
  });
}
