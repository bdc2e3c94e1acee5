/**
 * Stage 2: what CLIP pretraining is to the paper's image encoder. The mean feature of a picture, after ViT and adapter, is
 * drawn to the mean token embedding of its caption and away from those of all others:
 *
 *   loss = cross entropy of τ·cos(f, e_c) over c,   f = mean of the image tokens,   e_c = mean embedding of caption c
 *
 * The embeddings are the frozen language model's, so pictures arrive where the language model already knows the words.
 * Pictures of other things, which it has no words for, have learned vectors in the place of e_c; those are thrown away.
 */
import type { CogVLM } from '../../src/models/cogvlm/index.ts';
import { crossEntropy, Module, normal, type Parameter } from '../../src/nn/index.ts';
import { concat, noGrad, Rng, type Tensor } from '../../src/tensor/index.ts';
import { stackPixels } from '../../src/train/index.ts';
import { alignmentStage } from './recipe.ts';

/** Rows of length 1. @shape x [N, D] → [N, D] */
function normalized(x: Tensor): Tensor {
  return x.div(x.mul(x).sum(1, true).add(1e-12).sqrt());
}

/** A picture [C·S·S] and its class: a concept, or behind them another thing. */
export interface AlignmentExample {
  readonly pixels: Float32Array;
  readonly target: number;
}

export class Alignment extends Module<[examples: readonly AlignmentExample[]], Tensor> {
  readonly cogvlm: CogVLM;
  readonly others: Parameter;
  readonly #captions: readonly (readonly number[])[];
  #embeddings: Tensor | null = null;

  /** @param captions token ids of each concept's caption */
  constructor(cogvlm: CogVLM, captions: readonly (readonly number[])[], otherThings: number) {
    super();
    this.cogvlm = cogvlm;
    this.others = normal([otherThings, cogvlm.config.hiddenSize], 1, { rng: new Rng(alignmentStage.seed) });
    this.#captions = captions;
  }

  /** Mean token embedding of each caption, of length 1; once, when the language model is done. @shape → [C, D] */
  get #captionEmbeddings(): Tensor {
    this.#embeddings ??= noGrad(() =>
      normalized(concat(this.#captions.map((ids) => this.cogvlm.model.embed_tokens.call([ids]).mean(1)))),
    ).keep();
    return this.#embeddings;
  }

  /** Mean image features, of length 1. @shape pictures [B] → [B, D] */
  #features(pictures: readonly Float32Array[]): Tensor {
    const { inChannels, imageSize } = this.cogvlm.config.vision;
    const pixels = stackPixels(pictures, [inChannels, imageSize, imageSize]);
    return normalized(this.cogvlm.model.vision.call(pixels).slice(1, 1, -1).mean(1)); // without boi and eoi
  }

  forward(examples: readonly AlignmentExample[]): Tensor {
    const classes = concat([this.#captionEmbeddings, normalized(this.others)]);
    const cosines = this.#features(examples.map(({ pixels }) => pixels)).matmul(classes.transpose());
    return crossEntropy(
      cosines.mul(alignmentStage.temperature),
      examples.map(({ target }) => target),
    );
  }

  /** The concept whose caption is nearest to each picture. */
  async nearest(pictures: readonly Float32Array[]): Promise<number[]> {
    const scores = noGrad(() => this.#features(pictures).matmul(this.#captionEmbeddings.transpose()));
    return Array.from(await scores.argmax(1).read());
  }
}
