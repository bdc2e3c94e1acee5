/**
 * The wasm backend: tensors in WebAssembly memory and SIMD kernels compiled from AssemblyScript, on several threads
 * where there are any. What it has no kernel for (float64, int32, rarely used functions) runs in the cpu backend's
 * plain TypeScript loops on the same memory.
 */
import { createCpuBackend } from '../cpu/index.ts';
import { attentionKernels } from './attention.ts';
import { compareKernels } from './compare.ts';
import { elementwiseKernels } from './elementwise.ts';
import { matmulKernel } from './matmul.ts';
import { instantiate } from './module.ts';
import { moveKernels } from './move.ts';
import type { WasmBackend, WasmOptions } from './options.ts';
import { rowKernels } from './rows.ts';
import { threadSupport } from './threadSupport.ts';

export { isWasmSupported, wasmSupport } from './features.ts';
export type { WasmBackend, WasmOptions } from './options.ts';
export { threadSupport } from './threadSupport.ts';

/**
 * A backend with memory of its own.
 * @throws RangeError where `threads` is no whole number from 1 on, or `maxPages` none from 64 to 65536
 * @throws Error where WebAssembly SIMD, or what the options demand, is missing, with the reason
 */
export function createWasmBackend(options: WasmOptions = {}): WasmBackend {
  const wasm = instantiate(options);
  const { pool, relaxed } = wasm;
  const host = createCpuBackend({
    name: 'wasm',
    heap: wasm.heap,
    describe: () => describe(relaxed, pool.threads),
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
    get threads() {
      return pool.threads;
    },
    relaxed,
    close: () => pool.close(),
  };
}

function describe(relaxed: boolean, threads: number): string {
  const arithmetic = relaxed
    ? 'relaxed SIMD with fused multiply-add'
    : 'plain SIMD without fused multiply-add';
  const { supported, reason } = threadSupport();
  const alone = supported ? 'one thread' : `one thread: ${reason}`;
  return (
    `wasm: WebAssembly kernels with ${arithmetic} for float32, plain TypeScript loops for the rest, ` +
    (threads > 1 ? `${threads} threads` : alone)
  );
}
