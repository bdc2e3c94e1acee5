/** Backends by name. Those that need loading or a self-test are loaded when they are asked for. */
import type { Backend } from './backend.ts';
import { cpu, cpuStrict } from './cpu/index.ts';
import type { GpuJsOptions } from './gpujs/options.ts';
import type { WasmOptions } from './wasm/options.ts';

export const BACKEND_NAMES = ['cpu', 'cpu-strict', 'wasm', 'wasm-exact', 'gpujs', 'gpujs-exact'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Options of the backends that have any. */
export interface BackendOptions {
  /** For `wasm` and `wasm-exact`. */
  readonly wasm?: WasmOptions;
  /** For `gpujs` and `gpujs-exact`; the latter cannot wait for results, so its mode is 'sync' by default. */
  readonly gpujs?: GpuJsOptions;
}

type Loader = (options: BackendOptions) => Backend | Promise<Backend>;

const loaders: { readonly [N in BackendName]: Loader } = {
  cpu: () => cpu,
  'cpu-strict': () => cpuStrict,
  wasm: async ({ wasm }) => (await import('./wasm/index.ts')).createWasmBackend(wasm),
  'wasm-exact': (options) => twinOf('wasm', options),
  gpujs: async ({ gpujs }) => (await import('./gpujs/gpuJsBackend.ts')).createGpuJsBackend(gpujs),
  'gpujs-exact': (options) => twinOf('gpujs', { gpujs: { mode: 'sync' }, ...options }),
};

async function twinOf(name: 'wasm' | 'gpujs', options: BackendOptions): Promise<Backend> {
  const { errorFree } = await import('./errorFree/index.ts');
  return errorFree(await createBackend(name, options));
}

const loaded = new Map<BackendName, Promise<Backend>>();

export function isBackendName(name: string): name is BackendName {
  return BACKEND_NAMES.some((known) => known === name);
}

/** The shared instance of a backend. @throws Error where it cannot run here, with the reason */
export function loadBackend(name: BackendName): Promise<Backend> {
  let backend = loaded.get(name);
  if (backend === undefined) {
    backend = createBackend(name, {});
    loaded.set(name, backend);
  }
  return backend;
}

/** A backend with options; one with any has memory of its own. @throws Error where it cannot run here, with the reason */
export async function createBackend(name: BackendName, options: BackendOptions): Promise<Backend> {
  return loaders[name](options);
}
