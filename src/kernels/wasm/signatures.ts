/**
 * What assembly/index.ts exports, which tsc does not see. Addresses and strides are in bytes unless said otherwise,
 * lengths in elements.
 */
export interface GemmKernels {
  /** C [m, n] = A [m, k] · B [k, n]; C has dense rows. */
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    c: number,
    cRow: number,
    scratch: number,
  ): void;
  /** C [m, n] = A [m, k] · Wᵀ, W [n, k]; A and W have dense rows. */
  gemvRows(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    w: number,
    wRow: number,
    c: number,
    cRow: number,
  ): void;
  /** C [m, n] = A [m, k] · B [k, n]; B has dense rows. */
  gemvColumns(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
  ): void;
}

export interface Kernels extends GemmKernels {}
