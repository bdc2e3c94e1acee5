/**
 * Which of GPU.js's code generators runs the kernels. GPU.js picks one silently and, when a kernel does not fit it,
 * falls to plain JavaScript with a console warning; here the choice is made once, explained, and never left.
 */
import type { GPU } from 'gpu.js';

/** What may be asked for. */
export type GpuJsModeOption = 'auto' | 'webgpu' | GpuJsMode;

/** What can run: the modes of GPU.js that answer before the call returns. */
export type GpuJsMode = 'webgl2' | 'headlessgl' | 'webasm' | 'cpu';

export interface GpuJsChoice {
  readonly mode: GpuJsMode;
  /** Why this mode, for people. */
  readonly reason: string;
}

/** What was asked for and is there, or for 'auto' the first of WebGL2, headless GL, WebAssembly. */
export async function chooseMode(option: GpuJsModeOption, gpu: typeof GPU): Promise<GpuJsChoice> {
  switch (option) {
    case 'auto':
      return automatic(gpu);
    case 'webgpu':
      throw new Error(
        'gpujs: mode "webgpu" is not available: GPU.js answers on WebGPU with promises, and these kernels return their ' +
          'results at once. Use "auto", "webgl2" or "webasm".',
      );
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
        `gpujs: mode is ${JSON.stringify(option)}, expected "auto", "webgpu", "webgl2", "headlessgl", "webasm" or "cpu"`,
      );
  }
}

function demand(mode: GpuJsMode, supported: boolean, otherwise: string): GpuJsChoice {
  if (!supported) throw new Error(`gpujs: mode "${mode}" is not available: ${otherwise}`);
  return { mode, reason: 'asked for' };
}

/** Plain JavaScript is not among the choices: whoever wants it asks for it. */
async function automatic(gpu: typeof GPU): Promise<GpuJsChoice> {
  const webgpu = (await gpu.isWebGPUAvailable())
    ? 'a WebGPU adapter is there, but answers asynchronously'
    : 'no WebGPU adapter';
  if (gpu.isWebGL2Supported) return { mode: 'webgl2', reason: webgpu };
  if (gpu.isHeadlessGLSupported) return { mode: 'headlessgl', reason: `${webgpu}, no browser's WebGL2` };
  if (gpu.isWebAssemblySupported) return { mode: 'webasm', reason: `${webgpu}, no WebGL2` };
  throw new Error('gpujs: no WebGL2 and no WebAssembly here; mode "cpu" runs GPU.js as plain JavaScript');
}
