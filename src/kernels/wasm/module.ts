/** The compiled kernels and what they are called with. Addresses and strides are in bytes, lengths in elements. */
import { hasRelaxedSimd, wasmSupport } from './features.ts';
import { PLAIN_SIMD, RELAXED_SIMD } from './generated.ts';
import { WasmHeap } from './heap.ts';
import type { Kernels } from './signatures.ts';

/** Bytes at the beginning of the memory that are the compiler's: address 0 stands for nothing, then its constants. */
const STATIC_BYTES = 4096;

/** The memory and the kernels working on it: what the parts of the wasm backend share. */
export interface Wasm {
  readonly heap: WasmHeap;
  readonly kernels: Kernels;
  readonly relaxed: boolean;
}

export interface WasmOptions {
  /**
   * Fused multiply-add (relaxed SIMD): true demands it, false forbids it, by default it is used where the engine has
   * it. The two differ in the last bits of results.
   */
  readonly relaxed?: boolean;
  /** Threads that share the work of large kernels; default 1. */
  readonly threads?: number;
  /** Where the memory's growth ends, in pages of 64 KiB; default 65536 (4 GiB). */
  readonly maxPages?: number;
}

/** Throws an Error saying what is missing if the engine cannot run the kernels. */
export function instantiate(options: WasmOptions): Wasm {
  const support = wasmSupport();
  if (!support.supported) throw new Error(`wasm: cannot run here: ${support.reason}. Use the cpu backend.`);
  const relaxed = options.relaxed !== false && hasRelaxedSimd();
  if (options.relaxed === true && !relaxed) {
    throw new Error('wasm: relaxed SIMD was asked for (relaxed: true), but this engine does not have it');
  }
  const heap = new WasmHeap(STATIC_BYTES, options.maxPages);
  const module = new WebAssembly.Module(decode(relaxed ? RELAXED_SIMD : PLAIN_SIMD));
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: heap.wasmMemory, log: Math.log },
  });
  // The signatures are those of assembly/index.ts, which tsc does not see.
  const kernels = exports as unknown as Kernels;
  kernels.enter(0, heap.reserve(kernels.WORK_BYTES.value as number));
  return { heap, kernels, relaxed };
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
