/** What the threads of the roofline share. */
export const ROUNDS = 40;

export interface Shared {
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly thread: number;
  readonly threads: number;
  /** Int32: how many threads have come to a meeting so far, all meetings together. */
  readonly arrived: SharedArrayBuffer;
  /** Float64 [measurement, round, thread] milliseconds */
  readonly times: SharedArrayBuffer;
}
