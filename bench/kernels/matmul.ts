/** Matrix products. */
import { type BenchCase, bytesOf, noise, opCase, type Work } from '../case.ts';

/**
 * One multiplication and one addition for each of M·N·K terms. A single row uses each weight once, so that what counts is
 * the bytes it reads.
 */
export function matmulWork(m: number, k: number, n: number): Work {
  if (m === 1) return { ...bytesOf([k, n], [k], [n]), bound: 'read' };
  return { unit: 'FLOP', amount: 2 * m * k * n };
}

/** [M, K]·[K, N], rows after rows in both. */
export function matmul(m: number, k: number, n: number): BenchCase {
  return opCase(
    `matmul [${m},${k}]·[${k},${n}]`,
    matmulWork(m, k, n),
    () => [noise([m, k]), noise([k, n], 1, 1)],
    (a, b) => a.matmul(b),
  );
}

/** x·Wᵀ of a linear layer: W [N, K] as checkpoints store it, read by columns. */
export function matmulTransposed(m: number, k: number, n: number): BenchCase {
  return opCase(
    `matmul [${m},${k}]·[${n},${k}]ᵀ`,
    matmulWork(m, k, n),
    () => [noise([m, k]), noise([n, k], 1, 1).transpose()],
    (a, b) => a.matmul(b),
  );
}
