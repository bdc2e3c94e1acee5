/** Backends as the specs ask for them, in chunks of their own as the library loads them. */
import type { Backend } from '../../../src/index.ts';
import type { WasmOptions } from '../../../src/kernels/wasm/index.ts';
import { Skipped } from './spec.ts';

export const ONE_THREAD = /\b(one|1) thread\b/;

/** What the wasm backend says of `threads: 2` in a worker of an isolated page. */
export const TWO_THREADS = /\b2 threads\b/;

export async function wasm(options: WasmOptions): Promise<Backend> {
  const { createWasmBackend } = await import('../../../src/kernels/wasm/index.ts');
  return createWasmBackend(options);
}

interface WithGpu {
  readonly gpu?: { requestAdapter(): Promise<object | null> };
}

/** Whether the browser itself has what a mode runs on. */
const PRESENT: Readonly<Record<'webgl2' | 'webgpu', () => Promise<boolean>>> = {
  webgl2: async () => new OffscreenCanvas(1, 1).getContext('webgl2') !== null,
  webgpu: async () => ((await (navigator as WithGpu).gpu?.requestAdapter()) ?? null) !== null,
};

/** Skips where the browser does not have it. */
export async function gpujs(mode: keyof typeof PRESENT): Promise<Backend> {
  const { createGpuJsBackend } = await import('../../../src/kernels/gpujs/gpuJsBackend.ts');
  try {
    return await createGpuJsBackend({ mode });
  } catch (error) {
    if (!(await PRESENT[mode]())) throw new Skipped((error as Error).message);
    throw error;
  }
}
