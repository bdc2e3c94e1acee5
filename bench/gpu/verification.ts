/** `cogvlm verify --plain` on WebGPU, a golden folder at a time. */
import { verifyAnyFolder } from '../../spec/onnx/anyFolder.ts';
import type { GoldenFolder } from '../../src/verify/golden.ts';
import { summarize } from '../../src/verify/report/report.ts';
import { useWebGpu } from './backend.ts';

export interface VerifyRequest {
  /** Of spec/goldens. */
  readonly folder: string;
}

export interface Verified {
  readonly folder: string;
  readonly seconds: number;
  readonly results: number;
  readonly ok: number;
  /** Median error as a multiple of PyTorch's own in float32. */
  readonly medianTorchRatio: number | null;
  /** What does not agree, and how far it is off. */
  readonly notOk: readonly { readonly name: string; readonly status: string; readonly note: string }[];
}

export async function openVerification(
  folderOf: (name: string) => GoldenFolder,
): Promise<(request: VerifyRequest) => Promise<Verified>> {
  await useWebGpu();
  return async ({ folder }) => {
    const begun = performance.now();
    const rows = await verifyAnyFolder(folderOf(folder), 'float32');
    const { ok, medianTorchRatio } = summarize({ rows });
    const notOk = rows.filter(({ status }) => status !== 'OK');
    return {
      folder,
      seconds: (performance.now() - begun) / 1000,
      results: rows.length,
      ok,
      medianTorchRatio,
      notOk: notOk.map(({ name, status, note }) => ({ name, status, note })),
    };
  };
}
