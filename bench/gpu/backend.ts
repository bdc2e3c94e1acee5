/** The backend that is looked at becomes the one in use. */
import { setBackend } from '../../src/index.ts';
import { createBackend } from '../../src/kernels/registry.ts';

/** @throws Error where WebGPU is not there, or computes something else than the specification */
export async function useWebGpu(): Promise<void> {
  await setBackend(await createBackend('gpujs', { gpujs: { mode: 'webgpu' } }));
}
