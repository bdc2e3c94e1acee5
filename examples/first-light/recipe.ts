/**
 * How the shipped model is made: its sizes, how weights start, and the four stages. Chosen by trying; see the training
 * record that is shipped with the weights for what came out.
 */
import type { CogVLMConfig, Starts } from 'cogvlm-ts';
import type { Augmentation } from './augment.ts';

/** The released config.json layout; two fields of CogVLM2 (conv_downsample, grouped queries are off) keep it small. */
export const modelConfig = {
  architectures: ['CogVLMForCausalLM'],
  model_type: 'cogvlm',
  hidden_size: 96,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  template_version: 'base',
  vision_config: {
    in_channels: 3,
    image_size: 32,
    patch_size: 8,
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 3,
    num_heads: 4,
    layer_norm_eps: 1e-6,
    conv_downsample: true,
  },
} as const;

/** How weights start: normal numbers of std gain/√fanIn, unless said otherwise. */
export const initialization = {
  /** Token embeddings, std. */
  embedding: 0.5,
  /** Head, gain. */
  head: 0.5,
  /** Output projections of attention and FFN in the language model and experts: gain 1/√(2·layers). */
  residualScale: true,
  /** Class token and position table of the ViT, std. */
  position: 0.5,
  /** Weight of the ViT's norms, which scale what each block adds. */
  vitNorm: 0.3,
  seed: 1,
} as const;

/** The same by the kinds of the table of weights. */
export function startsOf({ numHiddenLayers }: CogVLMConfig): Starts {
  return {
    embedding: { std: initialization.embedding },
    position: { std: initialization.position },
    linear: { gain: 1 },
    residual: { gain: initialization.residualScale ? 1 / Math.sqrt(2 * numHiddenLayers) : 1 },
    head: { gain: initialization.head },
    norm: { value: 1 },
    residualNorm: { value: initialization.vitNorm },
    bias: { value: 0 },
  };
}

export interface StageRecipe {
  readonly steps: number;
  readonly batchSize: number;
  readonly peakLr: number;
  readonly warmupSteps: number;
  /** Where the cosine ends, as a part of the peak. */
  readonly finalRatio: number;
  readonly weightDecay: number;
  readonly betas: readonly [number, number];
  readonly clipNorm: number;
  readonly seed: number;
}

const everyStage = {
  batchSize: 64,
  finalRatio: 0.05,
  weightDecay: 0.05,
  betas: [0.9, 0.95],
  clipNorm: 1,
} as const satisfies Partial<StageRecipe>;

/** Stage 1: the language model alone, on prompts and answers. */
export const languageStage = {
  ...everyStage,
  steps: 1200,
  peakLr: 3e-3,
  warmupSteps: 100,
  seed: 11,
  /** How often a line is about a question instead of a caption. */
  questionRate: 0.4,
  /**
   * How often the prompt begins with the answer's own pieces, shuffled, some twice, among pieces of other names. It teaches
   * the model to read what stands in front of the prompt, where pictures will be.
   */
  hintRate: 0.85,
  /** Pieces of other names among them, at most. */
  hintNoise: 1,
} as const satisfies StageRecipe & Record<string, unknown>;

const augmentation: Augmentation = {
  scale: 0.2,
  shift: 0.1,
  turn: 15,
  mirror: 0.5,
  light: 0.2,
  tint: 0.2,
};

/** Stage 2: ViT and adapter alone, by the captions' embeddings; see alignment.ts. */
export const alignmentStage = {
  ...everyStage,
  steps: 3000,
  peakLr: 3e-3,
  warmupSteps: 100,
  seed: 12,
  temperature: 7,
  /** Pictures are laid over each other with shares from Beta(mixup, mixup). */
  mixup: 0.3,
  augmentation,
} as const satisfies StageRecipe & Record<string, unknown>;

/** Stage 3: language model (its embeddings stay) and experts, by blurred hints in a picture's places; see hints.ts. */
export const hintStage = {
  ...everyStage,
  steps: 600,
  peakLr: 1.5e-3,
  warmupSteps: 50,
  seed: 14,
  /** How often a hint is asked for its kind instead of its caption. */
  questionRate: 0.4,
  blur: 1.2,
} as const satisfies StageRecipe & Record<string, unknown>;

/** Stage 4: the language model frozen; experts, adapter, boi, eoi and ViT on pictures. */
export const visionStage = {
  ...everyStage,
  steps: 400,
  peakLr: 1e-3,
  warmupSteps: 100,
  seed: 13,
  /** Learning-rate factor of each part. */
  lrScale: { experts: 0.5, adapter: 0.05, vit: 0.05 },
  questionRate: 0.25,
  mixup: 0.3,
  augmentation,
} as const satisfies StageRecipe & Record<string, unknown>;
