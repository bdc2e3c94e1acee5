/** The four stages: what trains in each, on what, and what is looked at on the way. */
import {
  AdamW,
  answerLoss,
  type CogVLM,
  noGrad,
  parameterGroups,
  scope,
  type Tensor,
  warmupCosine,
} from 'cogvlm-ts';
import type { Stage } from 'cogvlm-ts/node';
import { copyLanguageToExperts, Epochs, type StageParts } from 'cogvlm-ts/train';
import { Alignment } from './alignment.ts';
import { captionScore, nearestCaptionScore, percent } from './exam.ts';
import { hintLoss } from './hints.ts';
import {
  alignmentBatch,
  captionIds,
  examPixels,
  hintBatch,
  type Lesson,
  languageBatch,
  visionBatch,
} from './lessons.ts';
import { alignmentStage, hintStage, languageStage, type StageRecipe, visionStage } from './recipe.ts';

export interface CheckedStage extends Stage {
  /** How the model does on held-out pictures. */
  readonly check?: () => Promise<string>;
}

export interface StageData {
  readonly lessons: readonly Lesson[];
  readonly heldOut: readonly Lesson[];
  /** How many there are. */
  readonly concepts: number;
  readonly visionSteps: number;
}

/** What the recipe says of a stage, as the loop takes it. */
function settings(
  stage: StageRecipe,
  parts: Omit<StageParts, 'weightDecay'>,
): Pick<Stage, 'config' | 'optimizer'> {
  const { steps, peakLr: peak, warmupSteps, finalRatio, clipNorm, seed, weightDecay, betas } = stage;
  return {
    config: { steps, lr: warmupCosine({ peak, warmupSteps, totalSteps: steps, finalRatio }), clipNorm, seed },
    optimizer: (model) => new AdamW(parameterGroups(model, { ...parts, weightDecay }), { betas }),
  };
}

export function makeStages(
  model: CogVLM,
  { lessons, heldOut, concepts, visionSteps }: StageData,
): CheckedStage[] {
  const size = model.config.vision.imageSize;
  const encoder = new Alignment(model, captionIds(lessons, concepts));
  const captions = async () => `held-out captions ${percent(await captionScore(model, heldOut))}`;
  const order = (stage: StageRecipe) => new Epochs(lessons.length, stage.seed);
  const [alignmentOrder, visionOrder] = [order(alignmentStage), order(visionStage)];
  // Embeddings are frozen once the first stage is done, so these are the same whenever they are asked for.
  let means: Tensor | undefined;
  const captionMeans = () => {
    means ??= noGrad(() => encoder.captionMeans()).keep();
    return means;
  };

  return [
    {
      name: 'language',
      ...settings(languageStage, { lrScale: { language: 1 } }),
      lossAt: (rng) => answerLoss(model, languageBatch(lessons, rng)),
    },
    {
      name: 'alignment',
      ...settings(alignmentStage, { lrScale: { adapter: 1, vit: 1 } }),
      lossAt: async (rng, step) => {
        const indices = alignmentOrder.batch(step, alignmentStage.batchSize);
        return encoder.loss(await alignmentBatch(lessons, size, indices, rng));
      },
      check: async () =>
        `nearest caption of held-out pictures ${percent(await nearestCaptionScore(encoder, heldOut))}`,
    },
    {
      name: 'hints',
      ...settings(hintStage, {
        lrScale: { language: 1, experts: 1 },
        frozen: ['model.embed_tokens.weight'],
      }),
      begin: () => {
        scope(() => encoder.matchLengths(lessons.slice(0, 256).map((lesson) => examPixels(lesson, size))));
        copyLanguageToExperts(model);
      },
      lossAt: (rng) => hintLoss(model, captionMeans(), hintBatch(lessons, rng), rng),
      check: captions,
    },
    {
      name: 'vision',
      ...settings({ ...visionStage, steps: visionSteps }, { lrScale: visionStage.lrScale }),
      lossAt: async (rng, step) => {
        const indices = visionOrder.batch(step, visionStage.batchSize);
        return answerLoss(model, await visionBatch(lessons, size, indices, rng));
      },
      check: captions,
    },
  ];
}
