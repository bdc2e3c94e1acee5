/**
 * A small GPT, and a step of its training: forward, backward, AdamW. Learned positions, LayerNorm, a feed-forward network
 * of two matrices with GELU; no biases, since some of the peers' parts have none.
 *
 * B batch, T tokens, D width, H heads, F width of the feed-forward network, V vocabulary
 */
import {
  AdamW,
  attention,
  crossEntropy,
  Embedding,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  Parameter,
  scope,
  splitHeads,
  Tensor,
} from '../../src/index.ts';
import { type BenchCase, disposeModule, drawWeights } from '../case.ts';

export interface GptSizes {
  readonly layers: number;
  /** D */
  readonly width: number;
  /** H */
  readonly heads: number;
  /** F */
  readonly intermediateSize: number;
  /** T */
  readonly tokens: number;
  /** B */
  readonly batch: number;
  /** V */
  readonly vocabulary: number;
}

/** The 5.4 GFLOP step that the comparison with peers takes. */
export const TINY_GPT: GptSizes = {
  layers: 4,
  width: 128,
  heads: 4,
  intermediateSize: 512,
  tokens: 64,
  batch: 16,
  vocabulary: 256,
};

/**
 * Three times the forward pass, 2 operations for each weight of a matrix and token; scores and their sums counted dense,
 * as the comparison does for every peer.
 */
export function stepFlops({
  layers,
  width: D,
  intermediateSize: F,
  tokens: T,
  batch: B,
  vocabulary: V,
}: GptSizes) {
  return 3 * (2 * B * T * (layers * (4 * D * D + 2 * D * F) + D * V) + layers * 4 * B * T * T * D);
}

class Block extends Module<[x: Tensor], Tensor> {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly o: Linear;
  readonly up: Linear;
  readonly down: Linear;
  readonly ln1: LayerNorm;
  readonly ln2: LayerNorm;
  readonly #heads: number;

  constructor({ width: D, intermediateSize: F, heads }: GptSizes) {
    super();
    const linear = (inFeatures: number, outFeatures: number) =>
      new Linear({ inFeatures, outFeatures, bias: false });
    this.q = linear(D, D);
    this.k = linear(D, D);
    this.v = linear(D, D);
    this.o = linear(D, D);
    this.up = linear(D, F);
    this.down = linear(F, D);
    this.ln1 = new LayerNorm({ width: D, eps: 1e-5 });
    this.ln2 = new LayerNorm({ width: D, eps: 1e-5 });
    this.#heads = heads;
  }

  /** @shape x [B, T, D] → [B, T, D] */
  forward(x: Tensor): Tensor {
    const a = this.ln1.call(x);
    const [q, k, v] = [this.q, this.k, this.v].map((w) => splitHeads(w.call(a), this.#heads));
    const h = x.add(this.o.call(mergeHeads(attention(q, k, v, { causal: true }))));
    return h.add(this.down.call(this.up.call(this.ln2.call(h)).gelu()));
  }
}

export class Gpt extends Module<[ids: readonly (readonly number[])[]], Tensor> {
  /** [T, D] */
  readonly positions: Parameter;
  readonly tokens: Embedding;
  readonly blocks: readonly Block[];
  readonly head: Linear;
  readonly norm: LayerNorm;

  constructor(sizes: GptSizes) {
    super();
    const { width: D, vocabulary: V } = sizes;
    this.positions = new Parameter(Tensor.zeros([sizes.tokens, D]));
    this.tokens = new Embedding({ numEmbeddings: V, embeddingDim: D });
    this.blocks = Array.from({ length: sizes.layers }, () => new Block(sizes));
    this.head = new Linear({ inFeatures: D, outFeatures: V, bias: false });
    this.norm = new LayerNorm({ width: D, eps: 1e-5 });
  }

  /** @shape ids [B, T] → logits [B, T, V] */
  forward(ids: readonly (readonly number[])[]): Tensor {
    let x = this.tokens.call(ids).add(this.positions);
    for (const block of this.blocks) x = block.call(x);
    return this.head.call(this.norm.call(x));
  }
}

/** Token t of text b: what any program of a comparison makes alike. */
export const tokenAt = (b: number, t: number, vocabulary: number): number =>
  (37 * b + 11 * t + t * t) % vocabulary;

/** One step on the one batch there is; the loss before it. */
export function gptTraining(sizes: GptSizes): {
  readonly model: Gpt;
  step(): Promise<number>;
  dispose(): void;
} {
  const { tokens: T, batch: B, vocabulary: V } = sizes;
  const model = drawWeights(new Gpt(sizes));
  const optimizer = new AdamW([{ parameters: model.namedParameters(), weightDecay: 0.01 }], {
    betas: [0.9, 0.999],
  });
  const text = (shift: number) =>
    Array.from({ length: B }, (_, b) => Array.from({ length: T }, (_, t) => tokenAt(b, t + shift, V)));
  const [ids, labels] = [text(0), text(1).flat()];
  return {
    model,
    step: () =>
      scope(async () => {
        optimizer.zeroGrad();
        const loss = crossEntropy(model.call(ids).reshape(B * T, V), labels);
        loss.backward();
        optimizer.step(1e-3);
        return (await loss.read())[0];
      }),
    dispose() {
      for (const moment of optimizer.state().tensors.values()) moment.dispose();
      disposeModule(model);
    },
  };
}

export function gptStep(sizes: GptSizes): BenchCase {
  const { layers, width, tokens, batch } = sizes;
  return {
    name: `GPT D ${width} × ${layers} training step, ${batch} texts of ${tokens}`,
    work: { unit: 'FLOP', amount: stepFlops(sizes) },
    prepare() {
      const { step, dispose } = gptTraining(sizes);
      return { call: step, dispose };
    },
  };
}
