/**
 * The released checkpoint's weights, written out once as the tree that the model is: at every leaf the shape, the part of
 * the model it belongs to, how it starts, and for an expert its twin, the language model's weight that it starts as.
 * A weight's name is its path in the tree, in the model and in the file alike. Matrices are [out, in].
 *
 * Everything that depends on a weight's name (freezing, learning rates, initialisation, experts, files) looks it up here.
 */
import { type CogVLMConfig, patchGrid } from './config.ts';
import { type KeyRule, type KeyTree, repeated, walk } from './keyTree.ts';
import { WeightNameError } from './weightNameError.ts';

export type ModelPart = 'vit' | 'adapter' | 'experts' | 'language';

/** What a weight does, as far as its start depends on it; the numbers are a recipe's. */
export type StartKind =
  | 'embedding'
  /** Class token and position table of the ViT. */
  | 'position'
  /** Matrices and convolution kernels. */
  | 'linear'
  /** Matrices of the language model and its experts whose product is added to the residual stream. */
  | 'residual'
  /** Onto the vocabulary. */
  | 'head'
  | 'norm'
  /** Weights of the ViT's norms: they scale what a block adds. */
  | 'residualNorm'
  /** Biases, boi and eoi. */
  | 'bias'
  /** Computed from the config, not trained. */
  | 'computed';

/** Sizes by their letters (docs/glossary.md) and what is made of these. */
const SIZES = {
  1: () => 1,
  2: () => 2,
  V: (c) => c.vocabSize,
  D: (c) => c.hiddenSize,
  F: (c) => c.intermediateSize,
  'K/2': (c) => c.hiddenSize / c.numAttentionHeads / 2,
  /** Rows of the fused projection: q, then k, then v. */
  '(H+2H_kv)K': (c) => (c.numAttentionHeads + 2 * c.numKeyValueHeads) * (c.hiddenSize / c.numAttentionHeads),
  C: (c) => c.vision.inChannels,
  p: (c) => c.vision.patchSize,
  'g²+1': (c) => patchGrid(c.vision) ** 2 + 1,
  E: (c) => c.vision.hiddenSize,
  '3E': (c) => 3 * c.vision.hiddenSize,
  F_vit: (c) => c.vision.intermediateSize,
} as const satisfies Readonly<Record<string, (config: CogVLMConfig) => number>>;

type Size = keyof typeof SIZES;

interface WeightRule extends KeyRule<CogVLMConfig> {
  readonly part: ModelPart;
  readonly shape: readonly Size[];
  readonly start: StartKind;
  /** Path in its layer of the language weight that an expert's starts as; null where the language model has none: 0. */
  readonly twin?: string | null;
  /** May be absent from a file: it is computed then. */
  readonly optional?: true;
}

const weightOf =
  (part: ModelPart) =>
  (start: StartKind, ...shape: readonly Size[]): WeightRule => ({ part, start, shape });

const language = weightOf('language');
const adapter = weightOf('adapter');
const vit = weightOf('vit');
const expert = (twin: string | null, start: StartKind, ...shape: readonly Size[]): WeightRule => ({
  ...weightOf('experts')(start, ...shape),
  twin,
});
/** A weight that only some configs have. */
const only = (when: (config: CogVLMConfig) => boolean, rule: WeightRule): WeightRule => ({ ...rule, when });

const DECODER_LAYER: KeyTree<WeightRule, CogVLMConfig> = {
  self_attn: {
    rotary_emb: { inv_freq: { ...language('computed', 'K/2'), optional: true } },
    vision_expert_query_key_value: {
      weight: expert('self_attn.language_expert_query_key_value.weight', 'linear', '(H+2H_kv)K', 'D'),
      bias: only((c) => c.visionExpertQkvBias, expert(null, 'bias', '(H+2H_kv)K')),
    },
    vision_expert_dense: {
      weight: expert('self_attn.language_expert_dense.weight', 'residual', 'D', 'D'),
    },
    language_expert_query_key_value: { weight: language('linear', '(H+2H_kv)K', 'D') },
    language_expert_dense: { weight: language('residual', 'D', 'D') },
  },
  mlp: {
    language_mlp: {
      gate_proj: { weight: language('linear', 'F', 'D') },
      up_proj: { weight: language('linear', 'F', 'D') },
      down_proj: { weight: language('residual', 'D', 'F') },
    },
    vision_mlp: {
      gate_proj: { weight: expert('mlp.language_mlp.gate_proj.weight', 'linear', 'F', 'D') },
      up_proj: { weight: expert('mlp.language_mlp.up_proj.weight', 'linear', 'F', 'D') },
      down_proj: { weight: expert('mlp.language_mlp.down_proj.weight', 'residual', 'D', 'F') },
    },
  },
  input_layernorm: { weight: language('norm', 'D') },
  post_attention_layernorm: { weight: language('norm', 'D') },
};

const VIT_BLOCK: KeyTree<WeightRule, CogVLMConfig> = {
  input_layernorm: { weight: vit('residualNorm', 'E'), bias: vit('bias', 'E') },
  attention: {
    query_key_value: { weight: vit('linear', '3E', 'E'), bias: vit('bias', '3E') },
    dense: { weight: vit('linear', 'E', 'E'), bias: vit('bias', 'E') },
  },
  mlp: {
    fc1: { weight: vit('linear', 'F_vit', 'E'), bias: vit('bias', 'F_vit') },
    fc2: { weight: vit('linear', 'E', 'F_vit'), bias: vit('bias', 'E') },
  },
  post_attention_layernorm: { weight: vit('residualNorm', 'E'), bias: vit('bias', 'E') },
};

const downsamples = (c: CogVLMConfig) => c.vision.convDownsample;

const MODEL: KeyTree<WeightRule, CogVLMConfig> = {
  model: {
    embed_tokens: { weight: language('embedding', 'V', 'D') },
    layers: repeated((c) => c.numHiddenLayers, DECODER_LAYER),
    norm: { weight: language('norm', 'D') },
    vision: {
      boi: adapter('bias', 1, 1, 'D'),
      eoi: adapter('bias', 1, 1, 'D'),
      patch_embedding: {
        cls_embedding: vit('position', 1, 'E'),
        proj: { weight: vit('linear', 'E', 'C', 'p', 'p'), bias: vit('bias', 'E') },
        position_embedding: { weight: vit('position', 'g²+1', 'E') },
      },
      transformer: { layers: repeated((c) => c.vision.numHiddenLayers, VIT_BLOCK) },
      conv: {
        weight: only(downsamples, adapter('linear', 'E', 'E', 2, 2)),
        bias: only(downsamples, adapter('bias', 'E')),
      },
      linear_proj: {
        linear_proj: { weight: adapter('linear', 'D', 'E') },
        norm1: { weight: adapter('norm', 'D'), bias: adapter('bias', 'D') },
        dense_h_to_4h: { weight: adapter('linear', 'F', 'D') },
        gate_proj: { weight: adapter('linear', 'F', 'D') },
        dense_4h_to_h: { weight: adapter('linear', 'D', 'F') },
      },
    },
  },
  lm_head: { weight: language('head', 'V', 'D') },
};

/** What is known of one weight of a model. */
export interface CheckpointKey {
  readonly part: ModelPart;
  readonly shape: readonly number[];
  readonly start: StartKind;
  /**
   * Of an expert's weight: the name of the language weight it starts as, null where the language model has none (it
   * starts at 0). Undefined for every other weight.
   */
  readonly twin: string | null | undefined;
  /** May be absent from a file: it is computed then. */
  readonly optional: boolean;
}

/** The weights of a model of one config by name, in the order in which they are written. */
export class CheckpointKeys implements Iterable<[name: string, key: CheckpointKey]> {
  readonly #keys: ReadonlyMap<string, CheckpointKey>;

  constructor(config: CogVLMConfig) {
    const keys = new Map<string, CheckpointKey>();
    for (const { name, parent, rule } of walk(MODEL, config)) {
      const { part, start, twin, optional = false } = rule;
      const shape = rule.shape.map((size) => SIZES[size](config));
      keys.set(name, { part, shape, start, twin: twin && `${parent}.${twin}`, optional });
    }
    this.#keys = keys;
    for (const { twin } of keys.values()) if (typeof twin === 'string') this.get(twin);
  }

  get size(): number {
    return this.#keys.size;
  }

  has(name: string): boolean {
    return this.#keys.has(name);
  }

  /** @throws WeightNameError where a model of this config has no such weight, with the names most like it */
  get(name: string): CheckpointKey {
    const key = this.#keys.get(name);
    if (key === undefined) throw new WeightNameError({ unknown: [name] }, this.keys());
    return key;
  }

  /**
   * A model's weights beside their keys, in the order of the table.
   * @throws WeightNameError where model and table do not have the same names: a model that was changed
   */
  match<W>(
    weights: Iterable<readonly [name: string, weight: W]>,
  ): Map<string, CheckpointKey & { weight: W }> {
    const state = new Map(weights);
    const unknown = [...state.keys()].filter((name) => !this.has(name));
    const lacking = [...this.keys()].filter((name) => !state.has(name));
    if (unknown.length + lacking.length > 0) throw new WeightNameError({ unknown, lacking }, this.keys());
    return new Map([...this].map(([name, key]) => [name, { ...key, weight: state.get(name) as W }]));
  }

  keys(): Iterable<string> {
    return this.#keys.keys();
  }

  [Symbol.iterator](): Iterator<[name: string, key: CheckpointKey]> {
    return this.#keys[Symbol.iterator]();
  }
}

/** Every tensor of a model of this config, layer by layer. */
export function checkpointKeys(config: CogVLMConfig): CheckpointKeys {
  return new CheckpointKeys(config);
}
