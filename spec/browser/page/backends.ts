/** Backends as the specs ask for them, in chunks of their own as the library loads them. */
import { BACKEND_NAMES, type Backend, isBackendName, loadBackend } from '../../../src/index.ts';
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

/** Skips where the browser does not have it, and where GPU.js has it only with promises. */
export async function gpujs(mode: keyof typeof PRESENT): Promise<Backend> {
  const { createGpuJsBackend } = await import('../../../src/kernels/gpujs/gpuJsBackend.ts');
  try {
    return await createGpuJsBackend({ mode });
  } catch (error) {
    const { message } = error as Error;
    if (/answers .*(promises|asynchronously)/.test(message) || !(await PRESENT[mode]())) {
      throw new Skipped(message);
    }
    throw error;
  }
}

export async function byName(name: string): Promise<Backend> {
  if (!isBackendName(name))
    throw new Skipped(`there is no backend ${name} among ${BACKEND_NAMES.join(', ')}`);
  return loadBackend(name);
}
