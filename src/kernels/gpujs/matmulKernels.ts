/**
 * C = A·B as GPU.js functions: a thread makes four rows of one column, so each element of B that it reads serves four
 * products. The operands come as they lie in memory, row after row or (transposed) column after column.
 *
 * A sum is made of CHUNKS sums over CHUNK numbers: rounding grows with the two lengths, not with K.
 *
 * These functions are read as text and translated: no closures, no helpers, no default values.
 */
import type { IKernelFunctionThis } from 'gpu.js';

type This = IKernelFunctionThis<{ K: number; CHUNK: number; CHUNKS: number }>;
type Matrix = number[][];

/** A [M, K] by rows, B [K, N] by rows → four rows of C at 4·y. */
export const rows4 = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  for (let chunk = 0; chunk < this.constants.CHUNKS; chunk++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    const end = Math.min(this.constants.K, (chunk + 1) * this.constants.CHUNK);
    for (let k = chunk * this.constants.CHUNK; k < end; k++) {
      const v = b[k][this.thread.x];
      s0 += a[this.thread.y * 4][k] * v;
      s1 += a[this.thread.y * 4 + 1][k] * v;
      s2 += a[this.thread.y * 4 + 2][k] * v;
      s3 += a[this.thread.y * 4 + 3][k] * v;
    }
    c0 += s0;
    c1 += s1;
    c2 += s2;
    c3 += s3;
  }
  return [c0, c1, c2, c3];
};

/** The same with B by columns: b is [N, K]. */
export const rows4ColumnsB = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  for (let chunk = 0; chunk < this.constants.CHUNKS; chunk++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    const end = Math.min(this.constants.K, (chunk + 1) * this.constants.CHUNK);
    for (let k = chunk * this.constants.CHUNK; k < end; k++) {
      const v = b[this.thread.x][k];
      s0 += a[this.thread.y * 4][k] * v;
      s1 += a[this.thread.y * 4 + 1][k] * v;
      s2 += a[this.thread.y * 4 + 2][k] * v;
      s3 += a[this.thread.y * 4 + 3][k] * v;
    }
    c0 += s0;
    c1 += s1;
    c2 += s2;
    c3 += s3;
  }
  return [c0, c1, c2, c3];
};

/** The same with A by columns: a is [K, M]. */
export const rows4ColumnsA = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  for (let chunk = 0; chunk < this.constants.CHUNKS; chunk++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    const end = Math.min(this.constants.K, (chunk + 1) * this.constants.CHUNK);
    for (let k = chunk * this.constants.CHUNK; k < end; k++) {
      const v = b[k][this.thread.x];
      s0 += a[k][this.thread.y * 4] * v;
      s1 += a[k][this.thread.y * 4 + 1] * v;
      s2 += a[k][this.thread.y * 4 + 2] * v;
      s3 += a[k][this.thread.y * 4 + 3] * v;
    }
    c0 += s0;
    c1 += s1;
    c2 += s2;
    c3 += s3;
  }
  return [c0, c1, c2, c3];
};

/** Both by columns: a is [K, M], b is [N, K]. */
export const rows4ColumnsAB = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  for (let chunk = 0; chunk < this.constants.CHUNKS; chunk++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    const end = Math.min(this.constants.K, (chunk + 1) * this.constants.CHUNK);
    for (let k = chunk * this.constants.CHUNK; k < end; k++) {
      const v = b[this.thread.x][k];
      s0 += a[k][this.thread.y * 4] * v;
      s1 += a[k][this.thread.y * 4 + 1] * v;
      s2 += a[k][this.thread.y * 4 + 2] * v;
      s3 += a[k][this.thread.y * 4 + 3] * v;
    }
    c0 += s0;
    c1 += s1;
    c2 += s2;
    c3 += s3;
  }
  return [c0, c1, c2, c3];
};

/** One row of A (a vector) times B by rows: what generation asks for, token by token. */
export const row = function (this: This, a: number[], b: Matrix): number {
  let c = 0;
  for (let chunk = 0; chunk < this.constants.CHUNKS; chunk++) {
    let s = 0;
    const end = Math.min(this.constants.K, (chunk + 1) * this.constants.CHUNK);
    for (let k = chunk * this.constants.CHUNK; k < end; k++) {
      s += a[k] * b[k][this.thread.x];
    }
    c += s;
  }
  return c;
};

/** One row of A times B by columns: b is [N, K]. */
export const rowColumnsB = function (this: This, a: number[], b: Matrix): number {
  let c = 0;
  for (let chunk = 0; chunk < this.constants.CHUNKS; chunk++) {
    let s = 0;
    const end = Math.min(this.constants.K, (chunk + 1) * this.constants.CHUNK);
    for (let k = chunk * this.constants.CHUNK; k < end; k++) {
      s += a[k] * b[this.thread.x][k];
    }
    c += s;
  }
  return c;
};
