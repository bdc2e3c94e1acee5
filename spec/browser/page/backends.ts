/** Backends as the specs ask for them, in chunks of their own as the library loads them. */
import { BACKEND_NAMES, type Backend, isBackendName, loadBackend } from '../../../src/index.ts';
import type { GpuJsOptions } from '../../../src/kernels/gpujs/gpuJsBackend.ts';
import type { WasmOptions } from '../../../src/kernels/wasm/index.ts';
import { Skipped } from './spec.ts';

export const ONE_THREAD = /\b(one|1) thread\b/;

/**
 * What the wasm backend makes of `threads: 2` in a worker of an isolated page: its kernels have one thread. Where they
 * have more, this is the place to say so.
 */
export const TWO_ASKED_FOR = ONE_THREAD;

export async function wasm(options: WasmOptions & { readonly threads?: number }): Promise<Backend> {
  const { createWasmBackend } = await import('../../../src/kernels/wasm/index.ts');
  return createWasmBackend(options);
}

/** Skips where the mode says that it is not to be had here. */
export async function gpujs(mode: GpuJsOptions['mode'] & string): Promise<Backend> {
  const { createGpuJsBackend } = await import('../../../src/kernels/gpujs/gpuJsBackend.ts');
  try {
    return await createGpuJsBackend({ mode });
  } catch (error) {
    const { message } = error as Error;
    if (/not available|answers asynchronously/.test(message)) throw new Skipped(message);
    throw error;
  }
}

export async function byName(name: string): Promise<Backend> {
  if (!isBackendName(name))
    throw new Skipped(`there is no backend ${name} among ${BACKEND_NAMES.join(', ')}`);
  return loadBackend(name);
}
