/** The compiled roofline.as in memory of its own, and what its measurements are. */

/** Larger than the caches of a desktop or a rented server. */
const FAR = 128 * 2 ** 20;
/** Inside a second-level cache, outside of the first. */
const NEAR = 256 * 2 ** 10;
const PAGE = 65536;

interface Exports {
  tile(rounds: number): number;
  chains(rounds: number): number;
  products(rounds: number): number;
  read(from: number, bytes: number, times: number): number;
  copy(to: number, from: number, bytes: number): number;
  readonly memory: WebAssembly.Memory;
}

/** FLOP/s and bytes/s. */
export interface Roofline {
  /** Multiplications and additions in registers, fused or not as the module is. */
  readonly flops: number;
  /** Of reading memory far beyond the caches. */
  readonly read: number;
  /** The same, what is read and what is written counted. */
  readonly copy: number;
  /** Of reading what stays in the second-level cache. */
  readonly near: number;
}

export interface Measurement {
  /** Operations or bytes of a run. */
  readonly amount: number;
  /** Takes some milliseconds. */
  run(): number;
}

/** In the order in which they are made; the roofline's FLOP/s are those of the fastest of the first three. */
export const MEASURED = ['tile', 'chains', 'products', 'read', 'copy', 'near'] as const;
export type Measurements = { readonly [K in (typeof MEASURED)[number]]: Measurement };

export function measurements(bytes: Uint8Array<ArrayBuffer>): Measurements {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // The signatures are those of roofline.as, which tsc does not see.
  const kernels = exports as unknown as Exports;
  const from = PAGE; // `tile` has its factors in the page before
  kernels.memory.grow((from + 2 * FAR - kernels.memory.buffer.byteLength) / PAGE);
  // Pages that were never written are all one page to the machine.
  new Float32Array(kernels.memory.buffer, from).fill(1);
  const rounds = 2 ** 21;
  const times = 2 ** 11;
  return {
    tile: { amount: rounds * 10 * 8, run: () => kernels.tile(rounds) },
    chains: { amount: rounds * 12 * 8, run: () => kernels.chains(rounds) },
    products: { amount: rounds * 8 * 8, run: () => kernels.products(rounds) },
    read: { amount: FAR, run: () => kernels.read(from, FAR, 1) },
    copy: { amount: 2 * FAR, run: () => kernels.copy(from + FAR, from, FAR) },
    near: { amount: times * NEAR, run: () => kernels.read(from, NEAR, times) },
  };
}
