/** Training beside PyTorch: AdamW from given gradients, and two training curves, on several backends and with faults. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { AdamWOptions, Backend, BufferHandle } from '../../src/kernels/backend.ts';
import { openCpu } from '../../src/kernels/cpu/index.ts';
import { type BackendName, createBackend } from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { GoldenError, type GoldenFolder } from '../../src/verify/golden.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import type { Row } from '../../src/verify/row.ts';
import { readTrainingManifest } from '../../src/verify/training/manifest.ts';
import { verifyTraining } from '../../src/verify/training/training.ts';
import { withFault } from '../support/plantedFault.ts';
import { rowsOf as allRows } from '../support/rows.ts';

const FOLDER = goldenFolder(join(import.meta.dirname, '../goldens/training'));

async function rowsOf(
  backend: BackendName | Backend,
  dtype: 'float32' | 'float64' = 'float32',
  folder = FOLDER,
): Promise<Row[]> {
  await setBackend(backend);
  return allRows(verifyTraining(folder, dtype));
}

const wrong = (rows: readonly Row[]) => rows.filter(({ status }) => status !== 'OK');
const told = (rows: readonly Row[]) => wrong(rows).map(({ name, note }) => `${name}: ${note}`);

afterAll(() => setBackend('cpu'));

describe('training agrees with PyTorch', () => {
  // cpu in float32 is what spec/cli/verify.spec.ts runs.
  it.each([
    ['cpu', 'float64', 'cpu', 231],
    ['cpu, strict', 'float32', openCpu({ strict: true }), 234],
    ['wasm', 'float32', 'wasm', 234],
    ['gpujs', 'float32', 'gpujs', 234],
  ] as const)('%s, %s: every state, loss, norm and weight', async (_, dtype, backend, count) => {
    const rows = await rowsOf(backend, dtype);
    expect(told(rows)).toEqual([]);
    expect(rows.length).toBe(count);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(count);
  });

  it('wasm without fused multiply-add, float32', async () => {
    const backend = await createBackend('wasm', { wasm: { relaxed: false } });
    expect(told(await rowsOf(backend))).toEqual([]);
  });

  it('leaves nothing in memory', async () => {
    const backend = await createBackend('wasm', {});
    await rowsOf(backend);
    expect(backend.memory().buffers).toBe(0);
  });
});

describe('the goldens are what they are meant to be', () => {
  it('clip in some steps and not in others, warm up, and lower the loss by half', async () => {
    const { optimizer, curves } = await readTrainingManifest(FOLDER);
    for (const { grad_norm, clip_norm, lr, schedule } of [...optimizer, ...curves]) {
      const clipped = grad_norm.filter((norm) => norm > clip_norm).length;
      expect(clipped).toBeGreaterThan(3);
      expect(clipped).toBeLessThan(17);
      expect(lr.length).toBe(20);
      expect(lr[0]).toBeCloseTo(schedule.peak / schedule.warmup_steps, 15);
    }
    for (const { loss, float32_loss } of curves) {
      expect(loss[19]).toBeLessThan(0.55 * loss[0]);
      for (const [i, single] of float32_loss.entries())
        expect(Math.abs(single / loss[i] - 1)).toBeLessThan(1e-5);
    }
    expect(curves.map(({ lr_scale }) => lr_scale)).toEqual([
      { adapter: 1, experts: 1 },
      { vit: 0.1, adapter: 1, experts: 1 },
    ]);
  });
});

/** The backend with AdamW's numbers changed on their way to the kernel. */
function withAdamW(
  backend: Backend,
  change: (options: AdamWOptions, shape: readonly number[], weights: BufferHandle) => Partial<AdamWOptions>,
): Backend {
  return {
    ...backend,
    adamw: (p, g, m, v, options) =>
      backend.adamw(p, g, m, v, { ...options, ...change(options, p.shape, p.buffer) }),
  };
}

/** The rates of the step before, which is what a schedule that starts one step late gives. */
function oneStepLate(backend: Backend): Backend {
  const last = new WeakMap<BufferHandle, number>();
  return withAdamW(backend, ({ lr }, _, weights) => {
    const before = last.get(weights) ?? 0;
    last.set(weights, lr);
    return { lr: before };
  });
}

/** The folder with another manifest. */
function withManifest(change: (text: string) => string): GoldenFolder {
  return {
    ...FOLDER,
    bytes: async (name) => {
      const bytes = await FOLDER.bytes(name);
      if (name !== 'manifest.json') return bytes;
      return new TextEncoder().encode(change(new TextDecoder().decode(bytes)));
    },
  };
}

describe('faults are found', () => {
  const WEIGHTS = /\/update\./;
  const STATE = /AdamW.*\/step\d+\.matrix/;
  const LOSSES = /\/losses$/;

  function expectFound(rows: readonly Row[], places: readonly RegExp[]): void {
    const names = wrong(rows).map(({ name }) => name);
    for (const place of places)
      expect(
        names.some((name) => place.test(name)),
        String(place),
      ).toBe(true);
  }

  it.each([
    ['bias corrections of the next step', ({ step }: AdamWOptions) => ({ step: step + 1 })],
    ['no bias correction', () => ({ step: 1e9 })],
    ['betas of another optimiser', () => ({ beta2: 0.98 })],
    ['an ε ten thousand times too large', () => ({ eps: 1e-4 })],
    ['rates off by 1 %', ({ lr }: AdamWOptions) => ({ lr: 1.01 * lr })],
  ] as const)('%s', async (_, change) => {
    const rows = await rowsOf(withAdamW(await createBackend('wasm', {}), change));
    expectFound(rows, [STATE, LOSSES, WEIGHTS]);
  });

  it('decay of norm weights and biases', async () => {
    const isVector = (shape: readonly number[]) => shape.filter((n) => n > 1).length < 2;
    const decayed = withAdamW(await createBackend('wasm', {}), ({ weightDecay }, shape) => {
      return { weightDecay: isVector(shape) ? 0.05 : weightDecay };
    });
    expectFound(await rowsOf(decayed), [/AdamW.*\/step\d+\.norm\.p/, LOSSES, /\/update\..*norm.*weight$/]);
  });

  it('decay left out', async () => {
    const rows = await rowsOf(withAdamW(await createBackend('wasm', {}), () => ({ weightDecay: 0 })));
    expectFound(rows, [STATE, LOSSES, WEIGHTS]);
  });

  it('a schedule that starts one step late', async () => {
    expectFound(await rowsOf(oneStepLate(await createBackend('wasm', {}))), [STATE, LOSSES, WEIGHTS]);
  });

  it.each([
    ['no clipping', /"clip_norm": [\d.]+/g, '"clip_norm": 1e9', [STATE, LOSSES, WEIGHTS]],
    ['a warm-up one step longer', /"warmup_steps": 4/g, '"warmup_steps": 5', [LOSSES, /learning rates/]],
    ['the ViT at the full rate', /"vit": 0.1/g, '"vit": 1', [LOSSES, WEIGHTS, /groups/]],
    ['a frozen adapter', /"adapter": 1,/g, '', [LOSSES, WEIGHTS, /groups/]],
    ['pictures in another order', /"picture": 1/g, '"picture": 2', [LOSSES, WEIGHTS]],
    [
      'a prompt whose last token is taken for the answer',
      /, (\d+)\],(\s+"answer": )\[/g,
      '],$2[$1, ',
      [/batch 0\.labels$/, LOSSES, WEIGHTS],
    ],
  ] as const)('%s', async (_, text, instead, places) => {
    const folder = withManifest((manifest) => manifest.replaceAll(text, instead));
    expectFound(await rowsOf('wasm', 'float32', folder), places);
  });

  it('a gradient of the vision expert that is off by 1 %', async () => {
    const scaled = (numbers: Float32Array) => {
      for (const [i, value] of numbers.entries()) numbers[i] = 1.01 * value;
    };
    const faulty = withFault(await createBackend('wasm', {}), 'swigluBackward', scaled, 'dgate');
    expectFound(await rowsOf(faulty), [LOSSES, WEIGHTS, /curve|gradient norms/]);
  });

  it('a manifest without a field', async () => {
    const folder = withManifest((text) => text.replaceAll('"betas"', '"beta"'));
    const error = rowsOf('cpu', 'float64', folder);
    await expect(error).rejects.toThrow(GoldenError);
    await expect(error).rejects.toThrow('manifest.json: optimizer[0]: betas is undefined, expected list');
  });
});
