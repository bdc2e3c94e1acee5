/** CogVLM in TypeScript: everything that runs in browsers and in Node. What reads and writes files is in `./node`. */
export * from './data/image/index.ts';
export * from './data/prompt.ts';
export * from './data/safetensors/checkpoint.ts';
export * from './data/safetensors/dtype.ts';
export * from './data/safetensors/error.ts';
export * from './data/safetensors/halfFloat.ts';
export type { TensorInfo } from './data/safetensors/header.ts';
export * from './data/safetensors/read.ts';
export * from './data/safetensors/source.ts';
export {
  type Metadata,
  type TensorEntry,
  type TensorSpec,
  writeSafetensors,
} from './data/safetensors/write.ts';
export * from './data/tokenizer.ts';
export type { Backend, BufferHandle, DType, HostArray, View } from './kernels/backend.ts';
export { type CpuBackendOptions, type CpuOptions, cpu, createCpuBackend } from './kernels/cpu/index.ts';
export type { GpuJsBackend, GpuJsOptions } from './kernels/gpujs/options.ts';
export {
  BACKEND_NAMES,
  type BackendName,
  type BackendOptions,
  createBackend,
  isBackendName,
  loadBackend,
} from './kernels/registry.ts';
export { isWasmSupported, wasmSupport } from './kernels/wasm/features.ts';
export type { WasmOptions } from './kernels/wasm/options.ts';
export { threadSupport } from './kernels/wasm/threadSupport.ts';
export * from './models/cogvlm/index.ts';
export * from './nn/index.ts';
export * from './tensor/index.ts';
export * from './train/index.ts';
export * from './verify/compare.ts';
export * from './verify/finding.ts';
export * from './verify/golden.ts';
export { type GradcheckOptions, gradcheck } from './verify/gradcheck.ts';
export * from './verify/judge.ts';
export { reportHtml } from './verify/report/html.ts';
export {
  type Report,
  type ReportSection,
  type Summary,
  summarize,
  summarizeReport,
} from './verify/report/report.ts';
export * from './verify/row.ts';
export type { FloatDType } from './verify/samples.ts';
export type { Tolerance } from './verify/tolerances.ts';
export { moduleAtFault, type TraceRow, traceModel } from './verify/trace/trace.ts';
export * from './verify/verify.ts';
