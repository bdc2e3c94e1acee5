/**
 * Stage 2: what CLIP pretraining is to the paper's image encoder. The mean feature of a picture, after ViT and adapter, is
 * drawn to the mean token embedding of its caption and away from those of all other captions:
 *
 *   loss = cross entropy of τ·cos(f, e_c) over the captions c,   f = mean of the image tokens,   e_c = mean embedding of c
 *
 * The embeddings are the frozen language model's, so pictures arrive where the language model already knows the words.
 */
import type { CogVLM } from '../../src/models/cogvlm/index.ts';
import { crossEntropy } from '../../src/nn/index.ts';
import { concat, noGrad, type Tensor } from '../../src/tensor/index.ts';
import { type Example, stackPixels } from '../../src/train/index.ts';
import { alignmentStage } from './recipe.ts';

/** Rows of length 1. @shape x [N, D] → [N, D] */
function normalized(x: Tensor): Tensor {
  return x.div(x.mul(x).sum(1, true).add(1e-12).sqrt());
}

/** Mean token embedding of each caption, of length 1. @shape → [C, D] */
export function captionEmbeddings({ model }: CogVLM, captions: readonly (readonly number[])[]): Tensor {
  const rows = noGrad(() => captions.map((ids) => model.embed_tokens.call([ids]).mean(1)));
  return noGrad(() => normalized(concat(rows))).keep();
}

/** @shape pixels [B, 3, S, S] → cosines with all captions, times the temperature [B, C] */
export function captionScores({ model }: CogVLM, pixels: Tensor, captions: Tensor): Tensor {
  const image = model.vision.call(pixels).slice(1, 1, -1); // [B, N, D], without boi and eoi
  return normalized(image.mean(1)).matmul(captions.transpose()).mul(alignmentStage.temperature);
}

/** @param concepts which caption each picture has */
export function alignmentLoss(
  cogvlm: CogVLM,
  examples: readonly Pick<Example, 'pixels'>[],
  concepts: readonly number[],
  captions: Tensor,
): Tensor {
  const { inChannels, imageSize } = cogvlm.config.vision;
  const pixels = stackPixels(
    examples.map((e) => ({ ...e, prompt: [], answer: [] })),
    [inChannels, imageSize, imageSize],
  );
  if (pixels === undefined) throw new Error('alignmentLoss: the examples have no pictures');
  return crossEntropy(captionScores(cogvlm, pixels, captions), concepts);
}
