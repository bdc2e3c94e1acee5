/** Backends by name. Those that need loading or a self-test are loaded when they are asked for. */
import type { Backend } from './backend.ts';
import { cpu, cpuStrict } from './cpu/index.ts';

export const BACKEND_NAMES = ['cpu', 'cpu-strict', 'wasm', 'gpujs', 'gpujs-exact'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

const loaders: { readonly [N in BackendName]: () => Backend | Promise<Backend> } = {
  cpu: () => cpu,
  'cpu-strict': () => cpuStrict,
  wasm: async () => (await import('./wasm/index.ts')).createWasmBackend(),
  gpujs: async () => (await import('./gpujs/gpuJsBackend.ts')).createGpuJsBackend(),
  'gpujs-exact': async () => (await import('./gpujs/errorFree.ts')).errorFree(await loadBackend('gpujs')),
};

const loaded = new Map<BackendName, Promise<Backend>>();

export function isBackendName(name: string): name is BackendName {
  return BACKEND_NAMES.some((known) => known === name);
}

/** The shared instance of a backend. @throws Error where it cannot run here, with the reason */
export function loadBackend(name: BackendName): Promise<Backend> {
  let backend = loaded.get(name);
  if (backend === undefined) {
    backend = Promise.resolve(loaders[name]());
    loaded.set(name, backend);
  }
  return backend;
}
