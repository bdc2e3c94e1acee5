/** What may be asked of the gpujs backend, and what it has beyond a backend; types that need none of GPU.js's. */
import type { Backend } from '../backend.ts';

/** The modes of GPU.js, best first; 'cpu' is GPU.js as plain JavaScript. */
export type GpuJsMode = 'webgpu' | 'webgl2' | 'headlessgl' | 'webasm' | 'cpu';

/** What may be asked for; 'sync' is 'auto' without WebGPU, whose results can only be waited for. */
export type GpuJsModeOption = 'auto' | 'sync' | GpuJsMode;

/** What may be asked of the gpujs backend. */
export interface GpuJsOptions {
  /**
   * 'auto' (default): WebGPU, else WebGL2, else headless GL, else WebAssembly; never plain JavaScript. 'sync': the same
   * without WebGPU, where only `await tensor.read()` gets at results. A mode by name is that mode or an error. 'cpu' is GPU.js as plain JavaScript, to find out what a mode does wrong.
   */
  readonly mode?: GpuJsModeOption;
}

export interface GpuJsBackend extends Backend {
  readonly mode: GpuJsMode;
  /** Compiled kernels that are kept. */
  programs(): number;
  /** Frees compiled kernels and the GPU context; the backend and its buffers are of no use afterwards. */
  destroy(): Promise<void>;
}
