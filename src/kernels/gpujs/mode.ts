/**
 * Which of GPU.js's code generators runs the kernels. GPU.js picks one silently and, when a kernel does not fit it,
 * falls to plain JavaScript with a console warning; here the choice is made once, explained, and never left.
 */
import type { GPU } from 'gpu.js';
import type { GpuJsMode, GpuJsModeOption } from './options.ts';

export interface GpuJsChoice {
  readonly mode: GpuJsMode;
  /** Why this mode, for people. */
  readonly reason: string;
}

/** What was asked for and is there; for 'auto' the first of WebGPU, WebGL2, headless GL, WebAssembly. */
export async function chooseMode(option: GpuJsModeOption, gpu: typeof GPU): Promise<GpuJsChoice> {
  switch (option) {
    case 'auto':
      if (await hasAdapter(gpu)) return { mode: 'webgpu', reason: 'a WebGPU adapter answers' };
      return synchronous(gpu, 'no WebGPU adapter');
    case 'sync':
      return synchronous(gpu, 'results without waiting asked for');
    case 'webgpu':
      return demand(option, await hasAdapter(gpu), 'no WebGPU adapter answers here');
    case 'webgl2':
      return demand(option, gpu.isWebGL2Supported, 'there is no WebGL2 context here');
    case 'headlessgl':
      return demand(
        option,
        gpu.isHeadlessGLSupported,
        'the package "gl" is not installed or finds no display',
      );
    case 'webasm':
      return demand(option, gpu.isWebAssemblySupported, 'there is no WebAssembly here');
    case 'cpu':
      return { mode: 'cpu', reason: 'asked for' };
    default:
      throw new Error(
        `gpujs: mode is ${JSON.stringify(option)}, expected "auto", "sync", "webgpu", "webgl2", "headlessgl", "webasm" or "cpu"`,
      );
  }
}

function demand(mode: GpuJsMode, supported: boolean, otherwise: string): GpuJsChoice {
  if (!supported) throw new Error(`gpujs: mode "${mode}" is not available: ${otherwise}`);
  return { mode, reason: 'asked for' };
}

async function hasAdapter(gpu: typeof GPU): Promise<boolean> {
  return gpu.isWebGPUSupported && (await gpu.isWebGPUAvailable());
}

/** Plain JavaScript is not among the choices: whoever wants it asks for it. */
function synchronous(gpu: typeof GPU, why: string): GpuJsChoice {
  if (gpu.isWebGL2Supported) return { mode: 'webgl2', reason: why };
  if (gpu.isHeadlessGLSupported) return { mode: 'headlessgl', reason: `${why}, no browser's WebGL2` };
  if (gpu.isWebAssemblySupported) return { mode: 'webasm', reason: `${why}, no WebGL2` };
  throw new Error(
    `gpujs: ${why}, no WebGL2 and no WebAssembly here; mode "cpu" runs GPU.js as plain JavaScript`,
  );
}
