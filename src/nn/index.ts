export { type AttentionOptions, attention, mergeHeads, splitHeads } from './attention.ts';
export { type Conv2dOptions, conv2d } from './conv2d.ts';
export { Embedding, type EmbeddingConfig } from './embedding.ts';
export { fanInUniform, normal, ones, type WeightOptions, zeros } from './init.ts';
export { Linear, type LinearConfig } from './linear.ts';
export { type CrossEntropyOptions, crossEntropy, IGNORE_INDEX } from './loss.ts';
export {
  type AnyModule,
  type CallTap,
  Constant,
  type LoadStateDictOptions,
  Module,
  Parameter,
  StateDictError,
  type StateDictReport,
  type Tap,
  withCallTap,
  withTap,
} from './module.ts';
export { LayerNorm, type NormConfig, RMSNorm } from './norm.ts';
export { AdamW, type AdamWConfig } from './optim/adamw.ts';
export { clipGradNorm } from './optim/clip.ts';
export type { Optimizer, OptimizerState, ParameterGroup } from './optim/optimizer.ts';
export { type Schedule, type WarmupCosine, warmupCosine } from './optim/schedule.ts';
export { PatchConv, type PatchConvConfig } from './patchConv.ts';
export { applyRotary, type RotaryAngles, type RotaryConfig, RotaryEmbedding } from './rotary.ts';
export { SwiGLU, type SwiGLUConfig, swiglu } from './swiglu.ts';
