/** What each thread has of its own: the module is instantiated once a thread, on one shared memory. */

/** Number of this thread; 0 is the one that calls the backend. */
export let thread: i32 = 0;

/**
 * Room for eight floats each of up to four operands (`rest`), and behind it for the packed blocks of gemm, sums of columns
 * and the like (`scratch`).
 */
export let rest: usize = 0;
export let scratch: usize = 0;

/** Bytes before `scratch`: a few cache lines. */
export const REST_BYTES: usize = 256;

/** Called once before any kernel; `at` is a multiple of 64 with WORK_BYTES (gemm.ts) bytes that only this thread uses. */
export function enter(number: i32, at: usize): void {
  thread = number;
  rest = at;
  scratch = at + REST_BYTES;
}

/** Where the tables of the kernels end. */
export const STATIC_END: i32 = <i32>__heap_base;
