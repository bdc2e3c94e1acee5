/** Backends by name. Those that need loading or a self-test are loaded when they are asked for. */
import type { Backend } from './backend.ts';
import { type CpuOptions, cpu, openCpu } from './cpu/index.ts';
import type { GpuJsOptions } from './gpujs/options.ts';
import { createWasmBackend, isWasmSupported } from './wasm/index.ts';
import type { WasmOptions } from './wasm/options.ts';

export const BACKEND_NAMES = ['cpu', 'wasm', 'gpujs'] as const;
/** The name of a backend that comes with the package. */
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Options by backend. */
export interface BackendOptions {
  readonly cpu?: CpuOptions;
  readonly wasm?: WasmOptions;
  readonly gpujs?: GpuJsOptions;
}

type Loader = (options: BackendOptions) => Backend | Promise<Backend>;

const loaders: { readonly [N in BackendName]: Loader } = {
  cpu: ({ cpu: options }) => (options === undefined ? cpu : openCpu(options)),
  wasm: ({ wasm }) => createWasmBackend(wasm),
  gpujs: async ({ gpujs }) => (await import('./gpujs/gpuJsBackend.ts')).createGpuJsBackend(gpujs),
};

const loaded = new Map<BackendName, Promise<Backend>>();

export function isBackendName(name: string): name is BackendName {
  return BACKEND_NAMES.some((known) => known === name);
}

/** The shared instance of a backend. @throws Error where it cannot run here, with the reason */
export function loadBackend(name: BackendName): Promise<Backend> {
  let backend = loaded.get(name);
  if (backend === undefined) {
    backend = createBackend(name);
    loaded.set(name, backend);
  }
  return backend;
}

/** The fastest backend that can be had without waiting: wasm where the engine has SIMD and compiles, else cpu. */
export function defaultBackend(): Backend {
  if (!isWasmSupported()) return cpu;
  let backend: Backend;
  try {
    backend = createWasmBackend();
  } catch {
    return cpu; // a page may forbid to compile WebAssembly, a machine may have no address space for its memory
  }
  loaded.set('wasm', Promise.resolve(backend));
  return backend;
}

/**
 * A backend with options; one with any has memory of its own.
 * @throws RangeError where no backend has that name
 * @throws Error where it cannot run here, with the reason
 */
export async function createBackend(name: BackendName, options: BackendOptions = {}): Promise<Backend> {
  if (!isBackendName(name)) {
    throw new RangeError(
      `createBackend: no backend is called ${name}, there are ${BACKEND_NAMES.join(', ')}`,
    );
  }
  return loaders[name](options);
}
