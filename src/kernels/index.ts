/** Kernels: the interface that a backend implements, the backends by name, and what helps to write one. */
export type {
  Backend,
  BinaryName,
  BufferHandle,
  CompareName,
  DType,
  HostArray,
  UnaryName,
  View,
} from './backend.ts';
export { composedAttention } from './composedAttention.ts';
export { asNdarray, dataOf } from './cpu/host.ts';
export { type CpuBackendOptions, cpu, createCpuBackend, createJsHeap } from './cpu/index.ts';
export { forEachRow } from './cpu/lines.ts';
export type { GpuJsBackend, GpuJsOptions } from './gpujs/options.ts';
export type { Heap } from './heap.ts';
export { requireInt32 } from './int32.ts';
export {
  BACKEND_NAMES,
  type BackendName,
  type BackendOptions,
  createBackend,
  defaultBackend,
  isBackendName,
  loadBackend,
} from './registry.ts';
export {
  denseStrides,
  denseView,
  dtypeOf,
  expandView,
  HOST_ARRAY,
  permuteView,
  reshapeView,
  sizeOf,
  sliceView,
  swapLastTwo,
} from './views.ts';
export { isWasmSupported, wasmSupport } from './wasm/features.ts';
export type { WasmBackend, WasmOptions } from './wasm/options.ts';
export { threadSupport } from './wasm/threadSupport.ts';
