/**
 * What is compared, in the shapes of CogVLM-17B and of a small GPT. A driver makes the inputs itself (noise.ts): input
 * number i of a row is stream i, counted from 0; weights of a model are streams 2, 3, … in the order given here.
 */
import { bytesOf, type Work } from '../case.ts';
import { causalAttentionFlops } from '../kernels/attention.ts';
import { matmulWork } from '../kernels/matmul.ts';
import { type DecoderSizes, layerFlops } from '../models/decoder.ts';
import type { ExpertTokens } from '../models/expertLayer.ts';
import { type GptSizes, stepFlops, TINY_GPT } from '../models/gpt.ts';

/** What a driver is told. */
export type Spec =
  /** a [m, k] · b [k, n]; b is a weight, which a library may prepare beforehand */
  | { readonly kind: 'matmul'; readonly m: number; readonly k: number; readonly n: number }
  /** x [1, k] · Wᵀ, W [n, k] a weight */
  | { readonly kind: 'linear'; readonly k: number; readonly n: number }
  /** over the last axis of x, in ±4 */
  | { readonly kind: 'softmax'; readonly shape: readonly number[] }
  /** x, weight, bias; ε 1e-6 */
  | { readonly kind: 'layerNorm'; readonly shape: readonly number[] }
  /** x, weight; ε 1e-5 */
  | { readonly kind: 'rmsNorm'; readonly shape: readonly number[] }
  /** x·Φ(x) with the error function, x in ±4 */
  | { readonly kind: 'gelu'; readonly shape: readonly number[] }
  /** silu(a)·b, a in ±4 */
  | { readonly kind: 'swiglu'; readonly shape: readonly number[] }
  /** q, k, v [1, heads, tokens, headDim], causal */
  | { readonly kind: 'attention'; readonly heads: number; readonly tokens: number; readonly headDim: number }
  /**
   * x (stream 0) [1, T, D] through RMSNorm, causal attention with rotary positions (half-split, base 10000), SwiGLU;
   * weights [out, in]: q, k, v, output, gate, up, down. Backward: gradients of all weights and of x, from that of the
   * output (stream 1).
   */
  | ({ readonly kind: 'layer' | 'layerBackward' } & DecoderSizes)
  /**
   * The same with visual experts: tokens of `image` have weights of their own in every product, and positions are given.
   * Weights [out, in]: of the vision expert q·k·v in one and output, of the language expert the same; gate, up, down of
   * the language expert, then of the vision expert. Backward as above; the weight is the first.
   */
  | ({ readonly kind: 'expert' | 'expertBackward' } & DecoderSizes & ExpertTokens)
  /**
   * Weights [out, in]: positions [T, D], tokens [V, D], then for each layer q, k, v, output, up, down, then the head.
   * LayerNorm before each half and at the end (ε 1e-5), GELU; texts as `tokenAt` says; AdamW 1e-3 (0.9, 0.999), decay 0.01
   */
  | ({ readonly kind: 'gpt' } & GptSizes);

export type Kind = Spec['kind'];

export interface RowCase {
  readonly name: string;
  readonly work: Work;
  readonly spec: Spec;
  /** Largest difference of probed results, in parts of the largest of them, which still is the same computation. */
  readonly tolerance: number;
}

/** Sums of thousands of float32 products differ by a few units in the last place; GELU's usual approximation by 1e-4. */
export const TOLERANCE = 4e-5;

export function product(m: number, k: number, n: number): RowCase {
  const name = m === k && k === n ? `matmul ${n}³` : `matmul ${m}×${k}×${n}`;
  return { name, work: matmulWork(m, k, n), spec: { kind: 'matmul', m, k, n }, tolerance: TOLERANCE };
}

export function over(
  kind: 'softmax' | 'layerNorm' | 'rmsNorm' | 'gelu' | 'swiglu',
  label: string,
  shape: readonly number[],
): RowCase {
  const work = kind === 'swiglu' ? bytesOf(shape, shape, shape) : bytesOf(shape, shape);
  return { name: `${label} [${shape}]`, work, spec: { kind, shape }, tolerance: TOLERANCE };
}

export function rowCases(): readonly RowCase[] {
  const layer: DecoderSizes = { width: 1024, heads: 16, intermediateSize: 2816, tokens: 256 };
  const { width, heads, intermediateSize, tokens } = layer;
  const title = `decoder layer D ${width} H ${heads} F ${intermediateSize} L ${tokens}`;
  const flops = (amount: number): Work => ({ unit: 'FLOP', amount });
  return [
    product(512, 512, 512),
    product(1024, 1024, 1024),
    product(2048, 2048, 2048),
    product(1226, 1792, 5376),
    {
      name: 'x[1,4096]·Wᵀ, W[11008,4096]',
      work: matmulWork(1, 4096, 11008),
      spec: { kind: 'linear', k: 4096, n: 11008 },
      tolerance: TOLERANCE,
    },
    over('softmax', 'softmax', [16, 1226, 1226]),
    over('layerNorm', 'LayerNorm', [1226, 1792]),
    over('rmsNorm', 'RMSNorm', [512, 4096]),
    over('gelu', 'GELU (erf)', [1226, 15360]),
    over('swiglu', 'silu(a)·b', [512, 11008]),
    {
      name: 'causal attention B 1 H 32 L 512 D 128',
      work: flops(causalAttentionFlops(32, 512, 128)),
      spec: { kind: 'attention', heads: 32, tokens: 512, headDim: 128 },
      tolerance: TOLERANCE,
    },
    {
      name: `${title} forward`,
      work: flops(layerFlops(layer)),
      spec: { kind: 'layer', ...layer },
      tolerance: TOLERANCE,
    },
    {
      name: `${title} forward + backward`,
      work: flops(3 * layerFlops(layer)),
      spec: { kind: 'layerBackward', ...layer },
      tolerance: 5 * TOLERANCE,
    },
    {
      name: 'training step of a small GPT',
      work: flops(stepFlops(TINY_GPT)),
      spec: { kind: 'gpt', ...TINY_GPT },
      tolerance: 1e-3, // of losses, the second after one step
    },
  ];
}
