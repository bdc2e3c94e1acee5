/** Long runs leave the memory as it was: training, generation, and runs that memory was too small for. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { createWasmBackend, type WasmOptions } from '../../src/kernels/wasm/index.ts';
import { CogVLM, generate } from '../../src/models/cogvlm/index.ts';
import { AdamW, Parameter, warmupCosine } from '../../src/nn/index.ts';
import { Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';
import { answerLoss, parameterGroups, train } from '../../src/train/index.ts';
import { randomPixels, tinyConfig } from '../support/models.ts';

afterEach(() => setBackend('cpu'));

const config = tinyConfig({ layers: 1, bias: true });
const EVERYTHING = { lrScale: { vit: 1, adapter: 1, experts: 1, language: 1 }, weightDecay: 0.1 };

/** A wasm backend, and how many bytes its WebAssembly memory has. */
function createMeasured(options: WasmOptions = {}): { backend: Backend; size: () => number } {
  const { Memory } = WebAssembly;
  const made: WebAssembly.Memory[] = [];
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      made.push(this);
    }
  };
  try {
    const backend = createWasmBackend(options);
    expect(made.length).toBe(1);
    return { backend, size: () => made[0].buffer.byteLength };
  } finally {
    WebAssembly.Memory = Memory;
  }
}

/** Of cpu, which has no memory of its own that could grow, fewer steps. */
const backends = {
  wasm: { create: () => createMeasured(), steps: 500 },
  cpu: { create: () => ({ backend: createCpuBackend(), size: () => 0 }), steps: 200 },
};

const pixelsOf = (rng: Rng) =>
  Float32Array.from({ length: 3 * config.vision.imageSize ** 2 }, () => rng.normal());

/** Two examples of random lengths, with pictures in every other step. */
function lossOf(model: CogVLM, rng: Rng, step: number) {
  const tokens = () => Array.from({ length: 1 + rng.integer(5) }, () => 3 + rng.integer(10));
  const picture = () => (step % 2 === 0 ? { pixels: pixelsOf(rng) } : {});
  return answerLoss(
    model,
    [0, 1].map(() => ({ prompt: tokens(), answer: tokens(), ...picture() })),
  );
}

for (const [name, { create, steps }] of Object.entries(backends)) {
  describe(`memory of ${name}`, () => {
    it(`is after ${steps} steps of training what it was after 50`, async () => {
      const { backend, size } = create();
      await setBackend(backend);
      const model = new CogVLM(config, { rng: new Rng(2) });
      const weights = model.stateDict();
      expect(backend.memory().buffers).toBe(weights.size);
      const optimizer = new AdamW(parameterGroups(model, EVERYTHING));
      const lr = warmupCosine({ peak: 1e-3, warmupSteps: 5, totalSteps: steps });
      const seen = new Map<number, unknown>();
      await train(
        optimizer,
        { steps, lr, clipNorm: 1, seed: 1 },
        (rng, step) => lossOf(model, rng, step),
        ({ step }) => {
          seen.set(step, { ...backend.memory(), size: size() });
          return true;
        },
      );
      expect(seen.size).toBe(steps);
      for (const step of [51, 133, steps]) expect(seen.get(step)).toEqual(seen.get(50));
    });

    it('grows by the cache while 1,000 tokens are generated, and by nothing after', async () => {
      const { backend, size } = create();
      await setBackend(backend);
      const model = new CogVLM(config, { rng: new Rng(2) });
      const before = backend.memory();
      const run = async (maxNewTokens: number): Promise<unknown[]> => {
        const seen: unknown[] = [];
        await scope(async () => {
          const pixels = randomPixels(config, 1, 5, 'float32');
          const types = [[0, ...Array<number>(6).fill(1), 0]];
          const prompt = { ids: [types[0].map(() => 3)], types, pixels };
          const options = { maxNewTokens, stopTokens: [] };
          for await (const _ of generate(model, prompt, options)) {
            seen.push({ ...backend.memory(), size: size() });
          }
        });
        return seen;
      };
      const seen = await run(1000);
      expect(seen.length).toBe(1000);
      expect(seen[999]).toEqual(seen[0]);
      expect(seen[500]).toEqual(seen[0]);
      expect(backend.memory()).toEqual(before);
      const after = size();
      await run(1000);
      expect([backend.memory(), size()]).toEqual([before, after]);
    });
  });
}

describe('a memory that ends', () => {
  const PAGE = 65536;
  const MIB = 1 << 20;
  /** 8 MiB in all. */
  const maxPages = (8 * MIB) / PAGE;

  it('says what was asked, what is in use and what to do, and goes on working', async () => {
    const { backend, size } = createMeasured({ maxPages });
    await setBackend(backend);
    const x = Tensor.from([[1, 2]]);
    const big = Tensor.zeros([MIB]); // 4 MiB
    const before = backend.memory();
    expect(() => Tensor.ones([3, MIB])).toThrow(
      /^wasm: no memory for a float32 buffer of 3145728 elements \(12\.0 MiB\): 4\.0 MiB in 2 buffers are in use, .* ends at 8\.0 MiB\. Release tensors \(.*\), take a smaller batch .*, or use the cpu backend/,
    );
    expect(() => big.exp()).toThrow('no memory for a float32 buffer of 1048576 elements (4.0 MiB)');
    expect(backend.memory()).toEqual(before);
    expect([...x.matmul(x.transpose()).data]).toEqual([5]);
    big.dispose();
    const again = Tensor.full([MIB], 3);
    expect([again.data[0], again.data[MIB - 1]]).toEqual([3, 3]);
    expect(size()).toBeLessThanOrEqual(8 * MIB);
  });

  it('keeps what tensors hold when it grows', async () => {
    const { backend, size } = createMeasured();
    await setBackend(backend);
    const numbers = Float32Array.from({ length: 1000 }, (_, i) => i / 7);
    const early = Tensor.fromArray(numbers, [10, 100]);
    const turned = early.transpose();
    const begun = size();
    let grown = 0;
    for (let mib = 8, last = begun; grown < 3; mib *= 2) {
      Tensor.full([mib, MIB / 4], 1);
      if (size() > last) grown++;
      last = size();
      expect(early.data).toEqual(numbers);
      expect(early.sub(turned.transpose()).abs().sum().item()).toBe(0);
    }
    expect(size()).toBeGreaterThan(begun);
  });

  it('leaves nothing behind of a training step that it was too small for', async () => {
    const { backend } = createMeasured({ maxPages });
    await setBackend(backend);
    const model = new CogVLM(config, { rng: new Rng(3) });
    const optimizer = new AdamW(parameterGroups(model, EVERYTHING));
    const weights = () => Array.from(model.stateDict(), ([name, x]) => [name, Array.from(x.data)]);
    const run = async (steps: number) =>
      train(
        optimizer,
        { steps, lr: () => 1e-3, clipNorm: 1, seed: 4 },
        (rng, step) => lossOf(model, rng, step),
        () => true,
      );
    await run(2); // moments are there from here on
    const before = { memory: backend.memory(), weights: weights() };

    // Everything but a little is taken; how much a step gets decides where in it memory ends.
    const failures: string[] = [];
    for (let left = 1; left < 4000; left = Math.ceil(left * 1.3)) {
      const taken = fillUp(backend, left);
      const full = backend.memory();
      const steps = optimizer.stepCount;
      const failure = await run(steps + 1).then(
        () => '',
        (error: Error) => error.message,
      );
      if (failure !== '') {
        failures.push(failure);
        expect(backend.memory()).toEqual(full);
        expect(optimizer.stepCount).toBe(steps);
        expect(weights()).toEqual(before.weights);
        for (const parameter of model.namedParameters().values()) expect(parameter.grad).toBeNull();
      }
      for (const tensor of taken) tensor.dispose();
      expect(backend.memory()).toEqual(before.memory);
      if (failure === '') break;
    }
    expect(failures.length).toBeGreaterThan(10);
    for (const failure of failures)
      expect(failure).toMatch(/^wasm: no memory for a \w+ buffer of \d+ elements/);
    expect(optimizer.stepCount).toBe(3);
  });

  it('changes nothing where an optimiser has no room for its moments', async () => {
    const { backend } = createMeasured({ maxPages });
    await setBackend(backend);
    const one = () => scope(() => new Parameter(Tensor.ones([MIB / 4])));
    const parameters = new Map([
      ['p', one()],
      ['q', one()],
    ]);
    const optimizer = new AdamW([{ parameters }]);
    for (const p of parameters.values()) scope(() => p.backward(Tensor.full([MIB / 4], 2)));
    const rest = Tensor.zeros([MIB / 4]); // 5 MiB are taken, and the moments want 4
    expect(() => scope(() => optimizer.step(0.1))).toThrow(
      'no memory for a float32 buffer of 262144 elements',
    );
    expect(optimizer.stepCount).toBe(0);
    for (const p of parameters.values()) expect(p.data.every((x) => x === 1)).toBe(true);
    rest.dispose();
    for (const p of parameters.values()) expect(p.grad?.data[0]).toBe(2);
  });

  /** Tensors that take all memory but `left` KiB. */
  function fillUp(backend: Backend, left: number): Tensor[] {
    const room = Tensor.zeros([left, 256]);
    const taken: Tensor[] = [];
    for (let bytes = 4 * MIB; bytes >= 64; ) {
      try {
        taken.push(new Tensor(backend, backend.fill([bytes / 4], 0, 'float32')));
      } catch {
        bytes /= 2;
      }
    }
    room.dispose();
    return taken;
  }
});
