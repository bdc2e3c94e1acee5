/** The compiled kernels and their memory. */
import { hasRelaxedSimd, wasmSupport } from './features.ts';
import { MEMORY_FLAG, PLAIN_SIMD, RELAXED_SIMD } from './generated/module.ts';
import {
  type Exports,
  IMPORTS,
  type Kernels,
  type Measures,
  named,
  STATIC_END,
  WORK_BYTES,
} from './generated/signatures.ts';
import { MAX_PAGES, WasmHeap } from './heap.ts';
import type { WasmOptions } from './options.ts';
import { createPool, type Pool } from './pool.ts';
import { defaultThreads, threadSupport } from './threadSupport.ts';

/** Pages that hold the kernels' own working memory and a little more. */
const MIN_PAGES = 64;
/** What the flag of an imported memory says: it has a maximum, and it is shared. */
const SHARED = 3;

/** The memory and the kernels working on it: what the parts of the wasm backend share. */
export interface Wasm {
  readonly heap: WasmHeap;
  readonly kernels: Kernels & Measures;
  readonly pool: Pool;
  readonly relaxed: boolean;
}

/**
 * @throws RangeError where `threads` is no whole number from 1 on, or `maxPages` none from 64 to 65536
 * @throws Error where the engine cannot do what is asked for, with what is missing
 */
export function instantiate(options: WasmOptions): Wasm {
  const support = wasmSupport();
  if (!support.supported) throw new Error(`wasm: cannot run here: ${support.reason}. Use the cpu backend.`);
  const relaxed = options.relaxed !== false && hasRelaxedSimd();
  if (options.relaxed === true && !relaxed) {
    throw new Error('wasm: relaxed SIMD was asked for (relaxed: true), but this engine does not have it');
  }
  const wanted = threadsOf(options);
  const heap = createHeap(wanted, maxPagesOf(options));
  const shared = !(heap.buffer instanceof ArrayBuffer);
  const binary = decode(relaxed ? RELAXED_SIMD : PLAIN_SIMD);
  if (shared) binary[relaxed ? MEMORY_FLAG.relaxed : MEMORY_FLAG.plain] = SHARED;
  const module = new WebAssembly.Module(binary);
  const math = Object.fromEntries(IMPORTS.map((name) => [name, Math[name]]));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: heap.wasmMemory, ...math } });
  const kernels = named(exports as unknown as Exports);
  const reserve = (bytes: number) => heap.reserve(bytes);
  kernels.enter({ number: 0, at: reserve(WORK_BYTES) });
  const threads = shared ? wanted : 1;
  const pool = createPool({ kernels, module, memory: heap.wasmMemory, threads, reserve });
  return { heap, kernels, pool, relaxed };
}

/**
 * With memory that threads can share where they are wanted and possible. Its beginning is the compiler's: address 0 stands for
 * nothing, then come the constants of the kernels.
 */
function createHeap(threads: number, maxPages: number): WasmHeap {
  if (threads > 1) {
    try {
      return new WasmHeap(STATIC_END, maxPages, true);
    } catch (error) {
      // A shared memory takes the address space of its maximum at once, which not every machine has.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return new WasmHeap(STATIC_END, maxPages);
}

function maxPagesOf({ maxPages = MAX_PAGES }: WasmOptions): number {
  if (Number.isSafeInteger(maxPages) && maxPages >= MIN_PAGES && maxPages <= MAX_PAGES) return maxPages;
  throw new RangeError(
    `wasm: maxPages is ${maxPages}, expected a whole number from ${MIN_PAGES} to ${MAX_PAGES} (pages of 64 KiB)`,
  );
}

function threadsOf({ threads = defaultThreads() }: WasmOptions): number {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new RangeError(`wasm: threads is ${threads}, expected a whole number from 1 on`);
  }
  return threadSupport().supported ? threads : 1;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
