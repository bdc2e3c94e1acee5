export { Adapter } from './adapter.ts';
export { checkpointEntries, configOf, type LoadOptions, loadCogVLM } from './checkpoint.ts';
export {
  type CheckpointKey,
  CheckpointKeys,
  checkpointKeys,
  type ModelPart,
  type StartKind,
} from './checkpointKeys.ts';
export { CogVLM, CogVLMModel, type ModelInput } from './cogvlm.ts';
export {
  type CogVLMConfig,
  checkConfig,
  configToJson,
  defineConfig,
  imageTokens,
  type PartialConfig,
  parseConfig,
  patchGrid,
  type TemplateVersion,
  type VisionConfig,
} from './config.ts';
export { ConfigError } from './configFields.ts';
export { DecoderLayer } from './decoder.ts';
export { ExpertRouting } from './expertRouting.ts';
export { type GenerateOptions, type GenerateStep, generate } from './generate.ts';
export { initializeWeights, type Start, type Starts } from './initialize.ts';
export { KVCache, LayerCache } from './kvCache.ts';
export { positionIds, trilMask, visionExpertMask } from './masks.ts';
export {
  type AnswerEnd,
  type AnswerOptions,
  type AnswerStream,
  type AskOptions,
  type CaptionOptions,
  collectAnswer,
  DEFAULT_MAX_NEW_TOKENS,
  type Picture,
  PretrainedCogVLM,
} from './pretrained.ts';
export { type Prompt, type PromptRow, promptBatch, promptRow } from './promptInput.ts';
export { VisionModel } from './vision.ts';
export { type LayerContext, VisionExpertAttention, VisionExpertMLP } from './visualExpert.ts';
export { WeightNameError } from './weightNameError.ts';
