/**
 * Stage 3: the language model and the experts that start as its copy learn to read what the adapter will put into a
 * picture's places, before any picture is there: the mean embedding of a caption, blurred. Without this the last stage has
 * to teach it from few pictures, and learns them by heart.
 *
 *   token n of a hint = e_c + σ·(s + r_n),   e_c mean embedding of the caption,  s and r_n normal, s shared by the tokens,
 *   σ uniform in [0, blur]·|e|/√D for each hint
 */
import { type CogVLM, type Example, imageTokens, noGrad, type Rng, Tensor } from 'cogvlm-ts';
import { layOut } from 'cogvlm-ts/train';
import { hintStage } from './recipe.ts';

export interface HintExample extends Example {
  readonly concept: number;
}

/** @param captionMeans mean token embedding of each concept's caption [C, D] */
export function hintLoss(
  model: CogVLM,
  captionMeans: Tensor,
  examples: readonly HintExample[],
  rng: Rng,
): Tensor {
  const { vision, hiddenSize: D } = model.config;
  const { labels, ...places } = layOut(model, examples, true);
  const imageFeatures = noGrad(() => hints(captionMeans, examples, imageTokens(vision), D, rng));
  return model.loss(model.call({ ...places, imageFeatures }), labels);
}

/** @shape → [B, N + 2, D]; boi and eoi, which start at zero, are zero */
function hints(means: Tensor, examples: readonly HintExample[], N: number, D: number, rng: Rng): Tensor {
  const table = means.data;
  const concepts = table.length / D;
  let length = 0;
  for (let c = 0; c < concepts; c++) length += Math.hypot(...table.subarray(c * D, (c + 1) * D)) / concepts;
  const values = new Float32Array(examples.length * (N + 2) * D);
  for (const [b, { concept }] of examples.entries()) {
    const sigma = (rng.uniform() * hintStage.blur * length) / Math.sqrt(D);
    const shared = Array.from({ length: D }, () => sigma * rng.normal());
    for (let n = 1; n <= N; n++) {
      for (let d = 0; d < D; d++) {
        values[(b * (N + 2) + n) * D + d] = table[concept * D + d] + shared[d] + sigma * rng.normal();
      }
    }
  }
  return Tensor.fromArray(values, [examples.length, N + 2, D]);
}
