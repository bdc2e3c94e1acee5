/** Fused causal attention. */
import { attention as attentionOp } from '../../src/index.ts';
import { type BenchCase, noise, opCase } from '../case.ts';

/** Of H heads of width K over T tokens: 2K operations for a score and 2K for its share of the output, where seen. */
export const causalAttentionFlops = (heads: number, T: number, headDim: number): number =>
  4 * headDim * heads * ((T * (T + 1)) / 2);

/** q, k and v [B, H, T, K] */
export function attention(shape: readonly [B: number, H: number, T: number, K: number]): BenchCase {
  const [B, H, T, K] = shape;
  return opCase(
    `attention [${shape}] causal`,
    { unit: 'FLOP', amount: B * causalAttentionFlops(H, T, K) },
    () => [noise(shape), noise(shape, 1, 1), noise(shape, 1, 2)],
    (q, k, v) => attentionOp(q, k, v, { causal: true }),
  );
}
