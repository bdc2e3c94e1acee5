/**
 * The wasm backend: tensors in WebAssembly memory and SIMD kernels compiled from AssemblyScript. What it has no kernel
 * for (float64, int32, rarely used functions) runs in the cpu backend's plain TypeScript loops on the same memory.
 */
import type { Backend } from '../backend.ts';
import { createCpuBackend } from '../cpu/index.ts';
import { attentionKernels } from './attention.ts';
import { compareKernels } from './compare.ts';
import { elementwiseKernels } from './elementwise.ts';
import { matmulKernel } from './matmul.ts';
import { instantiate, type WasmOptions } from './module.ts';
import { moveKernels } from './move.ts';
import { rowKernels } from './rows.ts';

export { isWasmSupported, wasmSupport } from './features.ts';
export type { WasmOptions } from './module.ts';

/** A backend with memory of its own. Throws an Error that says what is missing where WebAssembly SIMD is. */
export function createWasmBackend(options: WasmOptions = {}): Backend {
  const wasm = instantiate(options);
  const arithmetic = wasm.relaxed
    ? 'relaxed SIMD with fused multiply-add'
    : 'plain SIMD without fused multiply-add';
  const host = createCpuBackend({
    name: 'wasm',
    heap: wasm.heap,
    describe: () =>
      `wasm: WebAssembly kernels with ${arithmetic} for float32, plain TypeScript loops for the rest, one thread`,
  });
  const move = moveKernels(wasm, host);
  const parts = { ...wasm, host, copy: move.copy };
  return {
    ...host,
    ...move,
    ...elementwiseKernels(parts),
    ...compareKernels(parts),
    ...rowKernels(parts),
    ...attentionKernels(parts),
    matmul: matmulKernel(wasm, host),
  };
}
