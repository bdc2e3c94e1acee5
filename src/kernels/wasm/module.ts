/** The compiled kernels and what they are called with. Addresses and strides are in bytes, lengths in elements. */
import { hasRelaxedSimd, wasmSupport } from './features.ts';
import { MEMORY_FLAG, PLAIN_SIMD, RELAXED_SIMD } from './generated.ts';
import { MAX_PAGES, WasmHeap } from './heap.ts';
import type { WasmOptions } from './options.ts';
import { createPool, type Pool } from './pool.ts';
import type { Kernels } from './signatures.ts';
import { defaultThreads, threadSupport } from './threadSupport.ts';

/** Bytes at the beginning of the memory that are the compiler's: address 0 stands for nothing, then its constants. */
const STATIC_BYTES = 4096;
/** Pages that hold the kernels' own working memory and a little more. */
const MIN_PAGES = 64;
/** What the flag of an imported memory says: it has a maximum, and it is shared. */
const SHARED = 3;
/** Functions of Math that the kernels call. */
const IMPORTS = ['log'] as const;

/** The memory and the kernels working on it: what the parts of the wasm backend share. */
export interface Wasm {
  readonly heap: WasmHeap;
  readonly kernels: Kernels;
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
  // The signatures are those of assembly/index.ts, which tsc does not see.
  const kernels = exports as unknown as Kernels;
  if ((kernels.STATIC_END.value as number) > STATIC_BYTES)
    throw new Error('wasm: the tables of the kernels do not fit');
  const reserve = (bytes: number) => heap.reserve(bytes);
  kernels.enter(0, reserve(kernels.WORK_BYTES.value as number));
  const threads = shared ? wanted : 1;
  const pool = createPool({ kernels, module, memory: heap.wasmMemory, imports: IMPORTS, threads, reserve });
  return { heap, kernels, pool, relaxed };
}

/** With memory that threads can share where they are wanted and possible. */
function createHeap(threads: number, maxPages: number): WasmHeap {
  if (threads > 1) {
    try {
      return new WasmHeap(STATIC_BYTES, maxPages, true);
    } catch (error) {
      // A shared memory takes the address space of its maximum at once, which not every machine has.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return new WasmHeap(STATIC_BYTES, maxPages);
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
