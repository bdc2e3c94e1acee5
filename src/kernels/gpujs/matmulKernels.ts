/**
 * C = A·B as GPU.js functions: a thread makes four rows of one column, so each element of B that it reads serves four
 * products. The operands come as they lie in memory, row after row or (transposed) column after column.
 *
 * A sum is made of sums over CHUNK numbers (s into c): rounding grows with the two lengths, not with K.
 *
 * These functions are read as text and translated. So: no closures, no helpers, no default values; loops from a literal
 * to a constant (others end after 1000 turns); and a block that declares something names all that is declared around
 * it, because a minifier gives names not used inside again, and GPU.js then takes one variable for the other.
 */
import type { IKernelFunctionThis } from 'gpu.js';

type This = IKernelFunctionThis<{ K: number; CHUNK: number }>;
type Matrix = number[][];

/** A [M, K] by rows, B [K, N] by rows → four rows of C at 4·y. */
export const rows4 = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let count = 0;
  for (let k = 0; k < this.constants.K; k++) {
    const v = b[k][this.thread.x];
    s0 += a[this.thread.y * 4][k] * v;
    s1 += a[this.thread.y * 4 + 1][k] * v;
    s2 += a[this.thread.y * 4 + 2][k] * v;
    s3 += a[this.thread.y * 4 + 3][k] * v;
    count++;
    if (count >= this.constants.CHUNK) {
      c0 += s0;
      c1 += s1;
      c2 += s2;
      c3 += s3;
      s0 = 0;
      s1 = 0;
      s2 = 0;
      s3 = 0;
      count = 0;
    }
  }
  return [c0 + s0, c1 + s1, c2 + s2, c3 + s3];
};

/** The same with B by columns: b is [N, K]. */
export const rows4ColumnsB = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let count = 0;
  for (let k = 0; k < this.constants.K; k++) {
    const v = b[this.thread.x][k];
    s0 += a[this.thread.y * 4][k] * v;
    s1 += a[this.thread.y * 4 + 1][k] * v;
    s2 += a[this.thread.y * 4 + 2][k] * v;
    s3 += a[this.thread.y * 4 + 3][k] * v;
    count++;
    if (count >= this.constants.CHUNK) {
      c0 += s0;
      c1 += s1;
      c2 += s2;
      c3 += s3;
      s0 = 0;
      s1 = 0;
      s2 = 0;
      s3 = 0;
      count = 0;
    }
  }
  return [c0 + s0, c1 + s1, c2 + s2, c3 + s3];
};

/** The same with A by columns: a is [K, M]. */
export const rows4ColumnsA = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let count = 0;
  for (let k = 0; k < this.constants.K; k++) {
    const v = b[k][this.thread.x];
    s0 += a[k][this.thread.y * 4] * v;
    s1 += a[k][this.thread.y * 4 + 1] * v;
    s2 += a[k][this.thread.y * 4 + 2] * v;
    s3 += a[k][this.thread.y * 4 + 3] * v;
    count++;
    if (count >= this.constants.CHUNK) {
      c0 += s0;
      c1 += s1;
      c2 += s2;
      c3 += s3;
      s0 = 0;
      s1 = 0;
      s2 = 0;
      s3 = 0;
      count = 0;
    }
  }
  return [c0 + s0, c1 + s1, c2 + s2, c3 + s3];
};

/** Both by columns: a is [K, M], b is [N, K]. */
export const rows4ColumnsAB = function (this: This, a: Matrix, b: Matrix): number[] {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let count = 0;
  for (let k = 0; k < this.constants.K; k++) {
    const v = b[this.thread.x][k];
    s0 += a[k][this.thread.y * 4] * v;
    s1 += a[k][this.thread.y * 4 + 1] * v;
    s2 += a[k][this.thread.y * 4 + 2] * v;
    s3 += a[k][this.thread.y * 4 + 3] * v;
    count++;
    if (count >= this.constants.CHUNK) {
      c0 += s0;
      c1 += s1;
      c2 += s2;
      c3 += s3;
      s0 = 0;
      s1 = 0;
      s2 = 0;
      s3 = 0;
      count = 0;
    }
  }
  return [c0 + s0, c1 + s1, c2 + s2, c3 + s3];
};

/** One row of A (a vector) times B by rows: what generation asks for, token by token. */
export const row = function (this: This, a: number[], b: Matrix): number {
  let c = 0;
  let s = 0;
  let count = 0;
  for (let k = 0; k < this.constants.K; k++) {
    s += a[k] * b[k][this.thread.x];
    count++;
    if (count >= this.constants.CHUNK) {
      c += s;
      s = 0;
      count = 0;
    }
  }
  return c + s;
};

/** One row of A times B by columns: b is [N, K]. */
export const rowColumnsB = function (this: This, a: number[], b: Matrix): number {
  let c = 0;
  let s = 0;
  let count = 0;
  for (let k = 0; k < this.constants.K; k++) {
    s += a[k] * b[this.thread.x][k];
    count++;
    if (count >= this.constants.CHUNK) {
      c += s;
      s = 0;
      count = 0;
    }
  }
  return c + s;
};
