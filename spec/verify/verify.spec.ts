/** The whole model against the original PyTorch code: every tensor of the golden folders, on several backends. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { openCpu } from '../../src/kernels/cpu/index.ts';
import { type BackendName, createBackend, loadBackend } from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import { computing } from '../../src/verify/policy.ts';
import { summarize } from '../../src/verify/report/report.ts';
import { twinOf } from '../../src/verify/twin/twin.ts';
import { type FolderReport, verifyFolder } from '../../src/verify/verify.ts';
import { type Spoil, withFault } from '../support/plantedFault.ts';

const GOLDENS = join(import.meta.dirname, '../goldens');

async function report(
  name: string,
  backend: BackendName | Backend,
  dtype: 'float32' | 'float64' = 'float32',
): Promise<FolderReport> {
  await setBackend(backend);
  return verifyFolder(goldenFolder(join(GOLDENS, name)), dtype);
}

const wrong = ({ rows }: FolderReport) =>
  rows.flatMap(({ name, status, error, note }) =>
    status === 'OK' ? [] : [`${name} ${status} ${error} ${note}`],
  );

afterAll(() => setBackend('cpu'));

for (const [name, tensors] of [
  ['cogvlm', 193],
  ['cogvlm2', 199],
  ['preprocess', 16],
] as const) {
  describe(name, () => {
    for (const [backend, dtype] of [
      ['cpu', 'float64'],
      ['cpu', 'float32'],
      ['wasm', 'float64'],
      ['wasm', 'float32'],
      ['gpujs', 'float32'],
    ] as const) {
      const on = computing('model', dtype, backend);
      it(`agrees with PyTorch in every tensor: ${dtype} on ${on.name}`, async () => {
        const result = await report(name, on.on(await loadBackend(backend)), dtype);
        expect(wrong(result)).toEqual([]);
        expect(result.rows.length).toBe(tensors);
      });
    }
  });
}

describe('the twin', () => {
  it('agrees with PyTorch in every tensor without fused multiply-add, too', async () => {
    const backend = twinOf(await createBackend('wasm', { wasm: { relaxed: false } }));
    expect(backend.describe()).toContain('plain SIMD');
    for (const name of ['cogvlm', 'cogvlm2']) expect(wrong(await report(name, backend))).toEqual([]);
  });

  /** Swaps two numbers across the diagonal of the last 2 × 2 tile of a matrix with an odd number of rows. */
  const transposedTile: Spoil = (numbers, shape) => {
    const [M, N] = shape.slice(-2);
    if (M < 2 || N < 2 || M % 2 === 0) return;
    for (let end = M * N; end <= numbers.length; end += M * N) {
      [numbers[end - 2], numbers[end - 1 - N]] = [numbers[end - 1 - N], numbers[end - 2]];
    }
  };
  const scaled =
    (by: number): Spoil =>
    (numbers) => {
      for (const [i, value] of numbers.entries()) numbers[i] = value * by;
    };

  for (const [what, kernel, field, spoil, shownBy] of [
    ['a matmul that transposes an edge tile', 'matmul', '', transposedTile, /^(act\.|logits)/],
    ['a softmax that is off by 1e-5', 'softmax', '', scaled(1 + 1e-5), /^act\..*attention/],
    ['a fused attention that is off by 1e-3', 'attention', 'y', scaled(1 + 1e-3), /^act\..*attn/],
    ['a SwiGLU that is off by 1e-5', 'swiglu', '', scaled(1 + 1e-5), /^act\..*mlp/],
    ['a rotary embedding that is off by 1e-6', 'rotary', '', scaled(1 + 1e-6), /^grad\.|^act\./],
    ['a norm that is off by 1e-5', 'rmsNorm', 'y', scaled(1 + 1e-5), /^act\..*layernorm/],
    ['a gradient that is off by 1e-2', 'layerNormBackward', 'dx', scaled(1 + 1e-2), /^grad\..*vision/],
  ] as const) {
    it(`reports ${what}`, async () => {
      const faulty = withFault(await createBackend('wasm', {}), kernel, spoil, field);
      const { rows } = await report('cogvlm', twinOf(faulty));
      const bad = rows.filter(({ status }) => status === 'DIFF').map(({ name }) => name);
      expect(bad.filter((name) => shownBy.test(name))).not.toEqual([]);
    });
  }
});

describe('plain float32', () => {
  it('cpu, strict: half of all errors are below 0.5 × PyTorch’s own', async () => {
    for (const name of ['cogvlm', 'cogvlm2']) {
      expect(summarize(await report(name, openCpu({ strict: true }))).medianTorchRatio).toBeLessThan(0.5);
    }
  });

  it('wasm and gpujs agree in every tensor of cogvlm2, which has no nearly tied attention', async () => {
    for (const backend of ['wasm', 'gpujs'] as const)
      expect(wrong(await report('cogvlm2', backend))).toEqual([]);
  });

  it('wasm and gpujs miss nothing of cogvlm’s language side, and logits stay as good as PyTorch’s', async () => {
    for (const backend of ['wasm', 'gpujs'] as const) {
      const { rows } = await report('cogvlm', backend);
      const bad = rows.filter(({ status }) => status !== 'OK').map(({ name }) => name);
      expect(bad.filter((name) => !name.includes('model.vision.'))).toEqual([]);
      expect(rows.find(({ name }) => name === 'logits')?.status).toBe('OK');
    }
  });
});
