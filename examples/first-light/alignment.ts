/**
 * Stage 2: what CLIP pretraining is to the paper's image encoder. The mean feature of a picture, after ViT and adapter, is
 * drawn to the mean token embedding of its caption and away from those of all others:
 *
 *   loss = cross entropy of τ·cos(f, e_c) over c,   f = mean of the image tokens,   e_c = mean embedding of caption c
 *
 * The embeddings are the frozen language model's, so pictures arrive where the language model already knows the words.
 */
import { apply, type CogVLM, concat, noGrad, Tensor } from 'cogvlm-ts';
import { stackPixels } from 'cogvlm-ts/train';
import { alignmentStage } from './recipe.ts';

/** Rows of length 1. @shape x [N, D] → [N, D] */
function normalized(x: Tensor): Tensor {
  return x.div(x.mul(x).sum(1, true).add(1e-12).sqrt());
}

/** Two pictures laid over each other, x = share·a + (1 − share)·b [C·S·S], and what they show. */
export interface AlignmentExample {
  readonly pixels: Float32Array;
  readonly concepts: readonly [a: number, b: number];
  readonly share: number;
}

export class Alignment {
  readonly cogvlm: CogVLM;
  readonly #captions: readonly (readonly number[])[];
  #directions: Tensor | null = null;

  /** @param captions token ids of each concept's caption */
  constructor(cogvlm: CogVLM, captions: readonly (readonly number[])[]) {
    this.cogvlm = cogvlm;
    this.#captions = captions;
  }

  /** Mean token embedding of each caption. @shape → [C, D] */
  captionMeans(): Tensor {
    return concat(this.#captions.map((ids) => this.cogvlm.model.embed_tokens.call([ids]).mean(1)));
  }

  /** The same of length 1; once, when the language model is done. @shape → [C, D] */
  get #captionDirections(): Tensor {
    this.#directions ??= noGrad(() => normalized(this.captionMeans())).keep();
    return this.#directions;
  }

  /** Mean image features. @shape pictures [B] → [B, D] */
  #features(pictures: readonly Float32Array[]): Tensor {
    const { inChannels, imageSize } = this.cogvlm.config.vision;
    const pixels = stackPixels(pictures, [inChannels, imageSize, imageSize]);
    return this.cogvlm.model.vision.call(pixels).slice(1, 1, -1).mean(1); // without boi and eoi
  }

  /** Cosines of the mean image features with all captions. @shape pictures [B] → [B, C] */
  #cosines(pictures: readonly Float32Array[]): Tensor {
    return normalized(this.#features(pictures)).matmul(this.#captionDirections.transpose());
  }

  /** Cross entropy against both pictures of each example, by their shares. */
  loss(examples: readonly AlignmentExample[]): Tensor {
    const logits = this.#cosines(examples.map(({ pixels }) => pixels)).mul(alignmentStage.temperature);
    const part = (which: 0 | 1, weights: readonly number[]) => {
      const targets = examples.map(({ concepts }) => concepts[which]);
      const losses = apply('crossEntropy', [logits, Tensor.from(targets, { dtype: 'int32' })], {
        ignoreIndex: -1,
      });
      return losses.mul(Tensor.from(weights)).mean();
    };
    const shares = examples.map(({ share }) => share);
    return part(0, shares).add(
      part(
        1,
        shares.map((share) => 1 - share),
      ),
    );
  }

  /**
   * Gives image features the length of the embeddings they point along, by scaling the adapter's last matrix: the cosine
   * says nothing about lengths, but the language model that reads them next does.
   */
  matchLengths(pictures: readonly Float32Array[]): void {
    const meanLength = (x: Tensor) => x.mul(x).sum(1).sqrt().mean();
    noGrad(() => {
      const ratio = meanLength(this.captionMeans()).div(meanLength(this.#features(pictures)));
      const { weight } = this.cogvlm.model.vision.linear_proj.dense_4h_to_h;
      weight.assign(weight.mul(ratio));
    });
  }

  /** The concept whose caption is nearest to each picture. */
  async nearest(pictures: readonly Float32Array[]): Promise<number[]> {
    return Array.from(await noGrad(() => this.#cosines(pictures).argmax(1)).read());
  }
}
