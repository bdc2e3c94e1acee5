/** The whole model against the original PyTorch code: every tensor of the golden folders, on several backends. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BackendName } from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import { type FolderReport, summarize, verifyFolder } from '../../src/verify/verify.ts';

const GOLDENS = join(import.meta.dirname, '../goldens');

async function report(
  name: string,
  backend: BackendName,
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
      ['gpujs-exact', 'float32'],
    ] as const) {
      it(`agrees with PyTorch in every tensor: ${dtype} on ${backend}`, async () => {
        const result = await report(name, backend, dtype);
        expect(wrong(result)).toEqual([]);
        expect(result.rows.length).toBe(tensors);
      });
    }
  });
}

describe('plain float32', () => {
  it('cpu-strict: half of all errors are below 0.5 × PyTorch’s own', async () => {
    for (const name of ['cogvlm', 'cogvlm2']) {
      expect(summarize(await report(name, 'cpu-strict')).medianTorchRatio).toBeLessThan(0.5);
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
