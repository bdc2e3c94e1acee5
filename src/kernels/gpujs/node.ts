/** WebGPU in Node (Node only), with GPU.js's device on it. */
import * as gpuJs from 'gpu.js';
import { exposeWebGpu } from './dawn.ts';

/** Missing in GPU.js's declared types. */
const { WebGPUContext } = gpuJs as unknown as { WebGPUContext: { destroy(): Promise<void> } };

/**
 * Lets mode "webgpu", and with it "auto", find the machine's GPUs. The process does not end while it is installed.
 * @returns what takes it away again, with the device; to be called when the backends on it were destroyed
 * @throws Error where the package `webgpu` is not there or does not load, with the reason
 */
export async function installWebGpu(): Promise<() => Promise<void>> {
  const remove = await exposeWebGpu();
  return async () => {
    await WebGPUContext.destroy();
    remove();
  };
}
