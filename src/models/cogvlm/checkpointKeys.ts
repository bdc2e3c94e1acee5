/**
 * The released checkpoint's tensor names, written out once: name, shape, and the part of the model it belongs to.
 * `{i}` runs over the decoder's layers, `{j}` over the ViT's. Module fields carry the same names, so a name is also the
 * path of its module. Weights are [out, in].
 */
import { type CogVLMConfig, patchGrid } from './config.ts';

export type ModelPart = 'vit' | 'adapter' | 'experts' | 'language';

export interface KeyRule {
  readonly name: string;
  readonly part: ModelPart;
  readonly shape: (config: CogVLMConfig) => readonly number[];
  /** Only where the config says so. */
  readonly when?: (config: CogVLMConfig) => boolean;
  /** May be absent: it is computed then. */
  readonly optional?: true;
}

type Shape = KeyRule['shape'];

const D = (c: CogVLMConfig) => c.hiddenSize;
const F = (c: CogVLMConfig) => c.intermediateSize;
const E = (c: CogVLMConfig) => c.vision.hiddenSize;
const headDim = (c: CogVLMConfig) => c.hiddenSize / c.numAttentionHeads;
/** Rows of the fused q, k, v projection. */
const QKV = (c: CogVLMConfig) => (c.numAttentionHeads + 2 * c.numKeyValueHeads) * headDim(c);

const atD: Shape = (c) => [D(c)];
const atE: Shape = (c) => [E(c)];
const up: Shape = (c) => [F(c), D(c)];
const down: Shape = (c) => [D(c), F(c)];

const LAYER = 'model.layers.{i}.';
const VISION = 'model.vision.';
const BLOCK = 'model.vision.transformer.layers.{j}.';

export const KEY_RULES: readonly KeyRule[] = [
  { name: 'model.embed_tokens.weight', part: 'language', shape: (c) => [c.vocabSize, D(c)] },
  {
    name: `${LAYER}self_attn.rotary_emb.inv_freq`,
    part: 'language',
    shape: (c) => [headDim(c) / 2],
    optional: true,
  },
  {
    name: `${LAYER}self_attn.vision_expert_query_key_value.weight`,
    part: 'experts',
    shape: (c) => [QKV(c), D(c)],
  },
  {
    name: `${LAYER}self_attn.vision_expert_query_key_value.bias`,
    part: 'experts',
    shape: (c) => [QKV(c)],
    when: (c) => c.visionExpertQkvBias,
  },
  { name: `${LAYER}self_attn.vision_expert_dense.weight`, part: 'experts', shape: (c) => [D(c), D(c)] },
  {
    name: `${LAYER}self_attn.language_expert_query_key_value.weight`,
    part: 'language',
    shape: (c) => [QKV(c), D(c)],
  },
  { name: `${LAYER}self_attn.language_expert_dense.weight`, part: 'language', shape: (c) => [D(c), D(c)] },
  { name: `${LAYER}mlp.language_mlp.gate_proj.weight`, part: 'language', shape: up },
  { name: `${LAYER}mlp.language_mlp.up_proj.weight`, part: 'language', shape: up },
  { name: `${LAYER}mlp.language_mlp.down_proj.weight`, part: 'language', shape: down },
  { name: `${LAYER}mlp.vision_mlp.gate_proj.weight`, part: 'experts', shape: up },
  { name: `${LAYER}mlp.vision_mlp.up_proj.weight`, part: 'experts', shape: up },
  { name: `${LAYER}mlp.vision_mlp.down_proj.weight`, part: 'experts', shape: down },
  { name: `${LAYER}input_layernorm.weight`, part: 'language', shape: atD },
  { name: `${LAYER}post_attention_layernorm.weight`, part: 'language', shape: atD },
  { name: 'model.norm.weight', part: 'language', shape: atD },
  { name: `${VISION}boi`, part: 'adapter', shape: (c) => [1, 1, D(c)] },
  { name: `${VISION}eoi`, part: 'adapter', shape: (c) => [1, 1, D(c)] },
  { name: `${VISION}patch_embedding.cls_embedding`, part: 'vit', shape: (c) => [1, E(c)] },
  {
    name: `${VISION}patch_embedding.proj.weight`,
    part: 'vit',
    shape: ({ vision: v }) => [v.hiddenSize, v.inChannels, v.patchSize, v.patchSize],
  },
  { name: `${VISION}patch_embedding.proj.bias`, part: 'vit', shape: atE },
  {
    name: `${VISION}patch_embedding.position_embedding.weight`,
    part: 'vit',
    shape: (c) => [patchGrid(c.vision) ** 2 + 1, E(c)],
  },
  { name: `${BLOCK}input_layernorm.weight`, part: 'vit', shape: atE },
  { name: `${BLOCK}input_layernorm.bias`, part: 'vit', shape: atE },
  { name: `${BLOCK}attention.query_key_value.weight`, part: 'vit', shape: (c) => [3 * E(c), E(c)] },
  { name: `${BLOCK}attention.query_key_value.bias`, part: 'vit', shape: (c) => [3 * E(c)] },
  { name: `${BLOCK}attention.dense.weight`, part: 'vit', shape: (c) => [E(c), E(c)] },
  { name: `${BLOCK}attention.dense.bias`, part: 'vit', shape: atE },
  { name: `${BLOCK}mlp.fc1.weight`, part: 'vit', shape: (c) => [c.vision.intermediateSize, E(c)] },
  { name: `${BLOCK}mlp.fc1.bias`, part: 'vit', shape: (c) => [c.vision.intermediateSize] },
  { name: `${BLOCK}mlp.fc2.weight`, part: 'vit', shape: (c) => [E(c), c.vision.intermediateSize] },
  { name: `${BLOCK}mlp.fc2.bias`, part: 'vit', shape: atE },
  { name: `${BLOCK}post_attention_layernorm.weight`, part: 'vit', shape: atE },
  { name: `${BLOCK}post_attention_layernorm.bias`, part: 'vit', shape: atE },
  {
    name: `${VISION}conv.weight`,
    part: 'adapter',
    shape: (c) => [E(c), E(c), 2, 2],
    when: (c) => c.vision.convDownsample,
  },
  { name: `${VISION}conv.bias`, part: 'adapter', shape: atE, when: (c) => c.vision.convDownsample },
  { name: `${VISION}linear_proj.linear_proj.weight`, part: 'adapter', shape: (c) => [D(c), E(c)] },
  { name: `${VISION}linear_proj.norm1.weight`, part: 'adapter', shape: atD },
  { name: `${VISION}linear_proj.norm1.bias`, part: 'adapter', shape: atD },
  { name: `${VISION}linear_proj.dense_h_to_4h.weight`, part: 'adapter', shape: up },
  { name: `${VISION}linear_proj.gate_proj.weight`, part: 'adapter', shape: up },
  { name: `${VISION}linear_proj.dense_4h_to_h.weight`, part: 'adapter', shape: down },
  { name: 'lm_head.weight', part: 'language', shape: (c) => [c.vocabSize, D(c)] },
];

export interface CheckpointKey {
  readonly part: ModelPart;
  readonly shape: readonly number[];
  readonly optional: boolean;
}

/** Every tensor of a model of this config, in the order of the table, layer by layer. */
export function checkpointKeys(config: CogVLMConfig): Map<string, CheckpointKey> {
  const keys = new Map<string, CheckpointKey>();
  const add = (rule: KeyRule, name: string) =>
    keys.set(name, { part: rule.part, shape: rule.shape(config), optional: rule.optional ?? false });
  for (let at = 0; at < KEY_RULES.length; ) {
    const index = /\{[ij]\}/.exec(KEY_RULES[at].name)?.[0];
    const run = KEY_RULES.slice(at).findIndex((rule) => index === undefined || !rule.name.includes(index));
    const group = KEY_RULES.slice(at, run <= 0 ? at + 1 : at + run).filter(
      (rule) => rule.when?.(config) ?? true,
    );
    const count =
      index === undefined ? 1 : index === '{i}' ? config.numHiddenLayers : config.vision.numHiddenLayers;
    for (let n = 0; n < count; n++) {
      for (const rule of group)
        add(rule, index === undefined ? rule.name : rule.name.replace(index, String(n)));
    }
    at += run <= 0 ? 1 : run;
  }
  return keys;
}
