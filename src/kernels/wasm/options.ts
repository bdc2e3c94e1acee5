/** What may be asked of the wasm backend, and what it has beyond a backend; types that need no other. */
import type { Backend } from '../backend.ts';

/** What may be asked of the wasm backend. */
export interface WasmOptions {
  /**
   * Fused multiply-add (relaxed SIMD): true demands it, false forbids it, by default it is used where the engine has
   * it. The two differ in the last bits of results.
   */
  readonly relaxed?: boolean;
  /**
   * At most so many threads compute, the caller's included; by default as many as there are cores, up to 16. One where
   * threads are impossible (`threadSupport`). Their number changes no bit of a result.
   */
  readonly threads?: number;
  /** Where the memory's growth ends, in pages of 64 KiB; default 65536 (4 GiB). */
  readonly maxPages?: number;
}

export interface WasmBackend extends Backend {
  /** Threads that compute, the caller's included. */
  readonly threads: number;
  /** Fused multiply-add. */
  readonly relaxed: boolean;
  /** Ends the threads now; they also end with the process, or when nothing refers to the backend. Idempotent. */
  close(): void;
}
