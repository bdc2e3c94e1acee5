/**
 * A plain decoder layer: LLaMA's, which CogVLM's is without visual experts. Grows from the library's parts, as any model
 * of one's own would.
 *
 *   x ← x + Attention(RMSNorm(x)),   x ← x + SwiGLU(RMSNorm(x))
 *
 * T tokens, D width, H heads, F width of the feed-forward network
 */
import {
  applyRotary,
  attention,
  Linear,
  Module,
  mergeHeads,
  noGrad,
  RMSNorm,
  RotaryEmbedding,
  SwiGLU,
  scope,
  splitHeads,
  type Tensor,
} from '../../src/index.ts';
import type { RotaryAngles } from '../../src/nn/index.ts';
import { type BenchCase, disposeModule, drawWeights, noise } from '../case.ts';
import { causalAttentionFlops } from '../kernels/attention.ts';

export interface DecoderSizes {
  /** D */
  readonly width: number;
  /** H */
  readonly heads: number;
  /** F */
  readonly intermediateSize: number;
  /** T */
  readonly tokens: number;
}

/** Projections of 4D² (q, k, v, output) and 3DF (gate, up, down) a token, and attention; norms and rotation left out. */
export function layerFlops({ width: D, heads: H, intermediateSize: F, tokens: T }: DecoderSizes): number {
  return 2 * T * (4 * D * D + 3 * D * F) + causalAttentionFlops(H, T, D / H);
}

export class PlainLayer extends Module<[x: Tensor, angles: RotaryAngles], Tensor> {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly o_proj: Linear;
  readonly mlp: SwiGLU;
  readonly input_layernorm: RMSNorm;
  readonly post_attention_layernorm: RMSNorm;
  readonly #heads: number;

  constructor({ width, heads, intermediateSize }: DecoderSizes) {
    super();
    const projection = () => new Linear({ inFeatures: width, outFeatures: width, bias: false });
    this.q_proj = projection();
    this.k_proj = projection();
    this.v_proj = projection();
    this.o_proj = projection();
    this.mlp = new SwiGLU({ width, intermediateSize });
    this.input_layernorm = new RMSNorm({ width, eps: 1e-5 });
    this.post_attention_layernorm = new RMSNorm({ width, eps: 1e-5 });
    this.#heads = heads;
  }

  /** @shape x [B, T, D] → [B, T, D] */
  forward(x: Tensor, angles: RotaryAngles): Tensor {
    const a = this.input_layernorm.call(x);
    const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((w) => splitHeads(w.call(a), this.#heads));
    const y = attention(applyRotary(q, angles), applyRotary(k, angles), v, { causal: true });
    const h = x.add(this.o_proj.call(mergeHeads(y)));
    return h.add(this.mlp.call(this.post_attention_layernorm.call(h)));
  }
}

export interface LayerParts {
  readonly layer: PlainLayer;
  readonly angles: RotaryAngles;
  /** [1, T, D] */
  readonly x: Tensor;
}

export function layerParts(sizes: DecoderSizes): LayerParts {
  const rotary = new RotaryEmbedding({ headDim: sizes.width / sizes.heads, base: 10000 });
  const positions = Array.from({ length: sizes.tokens }, (_, t) => t);
  const angles = rotary.call([positions]);
  rotary.inv_freq.dispose();
  return { layer: drawWeights(new PlainLayer(sizes)), angles, x: noise([1, sizes.tokens, sizes.width]) };
}

const title = ({ width, heads, intermediateSize, tokens }: DecoderSizes) =>
  `plain decoder layer D ${width} H ${heads} F ${intermediateSize} T ${tokens}`;

export function layerForward(sizes: DecoderSizes): BenchCase {
  return {
    name: `${title(sizes)} forward`,
    work: { unit: 'FLOP', amount: layerFlops(sizes) },
    prepare() {
      const { layer, angles, x } = layerParts(sizes);
      return {
        call: () => scope(() => void noGrad(() => layer.call(x, angles))),
        dispose: () => disposeModule(layer),
      };
    },
  };
}

/** Gradients of all weights and of the input: each product of the forward pass has two in the backward pass. */
export function layerBackward(sizes: DecoderSizes): BenchCase {
  return {
    name: `${title(sizes)} forward + backward`,
    work: { unit: 'FLOP', amount: 3 * layerFlops(sizes) },
    prepare() {
      const { layer, angles, x } = layerParts(sizes);
      const seed = noise(x.shape, 1, 1);
      x.requiresGrad = true;
      return {
        call: () =>
          scope(() => {
            layer.call(x, angles).backward(seed);
            layer.zeroGrad();
            x.zeroGrad();
          }),
        dispose: () => disposeModule(layer),
      };
    },
  };
}
