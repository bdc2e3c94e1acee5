/** Small CogVLMs with random weights, of any shape that a config allows. */
import fc from 'fast-check';
import type { DType } from '../../src/kernels/backend.ts';
import { CogVLM, type CogVLMConfig, imageTokens, parseConfig } from '../../src/models/cogvlm/index.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';

export const VOCABULARY = 13;

export interface TinySizes {
  readonly heads: number;
  /** Query heads that share a key head. */
  readonly group: number;
  readonly headDim: number;
  readonly layers: number;
  readonly intermediateSize: number;
  readonly vitHeads: number;
  readonly vitHeadDim: number;
  readonly vitLayers: number;
  readonly grid: number;
  readonly patchSize: number;
  readonly downsample: boolean;
  readonly bias: boolean;
}

const SMALL: TinySizes = {
  heads: 2,
  group: 1,
  headDim: 4,
  layers: 2,
  intermediateSize: 6,
  vitHeads: 2,
  vitHeadDim: 3,
  vitLayers: 1,
  grid: 2,
  patchSize: 2,
  downsample: false,
  bias: false,
};

/** The config.json of a model of these sizes. */
export function tinyJson(sizes: Partial<TinySizes> = {}): Record<string, unknown> {
  const s = { ...SMALL, ...sizes };
  return {
    vocab_size: VOCABULARY,
    hidden_size: s.heads * s.headDim,
    intermediate_size: s.intermediateSize,
    num_hidden_layers: s.layers,
    num_attention_heads: s.heads,
    num_multi_query_heads: s.heads / s.group,
    vision_expert_qkv_bias: s.bias,
    rope_theta: s.downsample ? 500000 : 10000,
    vision_config: {
      image_size: s.grid * s.patchSize,
      patch_size: s.patchSize,
      hidden_size: s.vitHeads * s.vitHeadDim,
      intermediate_size: s.intermediateSize + 1,
      num_hidden_layers: s.vitLayers,
      num_heads: s.vitHeads,
      conv_downsample: s.downsample,
    },
  };
}

export function tinyConfig(sizes: Partial<TinySizes> = {}): CogVLMConfig {
  return parseConfig(tinyJson(sizes));
}

/** Every weight random, also those that a fresh model starts at 0 or 1. */
export function randomModel(config: CogVLMConfig, seed: number, dtype: DType = 'float64'): CogVLM {
  const model = new CogVLM(config, { dtype });
  const rng = new Rng(seed);
  for (const [path, weight] of model.namedParameters()) {
    const fanIn = weight.shape.slice(1).reduce((n, m) => n * m, 1);
    const std = weight.rank === 2 || weight.rank === 4 ? 1.5 / Math.sqrt(fanIn) : 0.5;
    const mean = /norm\w*\.weight$/.test(path) ? 1 : 0;
    const values = Array.from({ length: weight.size }, () => mean + std * rng.normal());
    weight.assign(Tensor.fromArray(values, weight.shape, { dtype }));
  }
  return model;
}

/** One conversation: token ids and types of its places, and how many pictures it holds. */
export interface Conversation {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly images: number;
}

/** bos, then texts of the given lengths with a picture between each two. */
export function conversation(config: CogVLMConfig, texts: readonly number[], seed: number): Conversation {
  const rng = new Rng(seed);
  const slots = imageTokens(config.vision) + 2;
  const ids = [config.bosTokenId];
  const types = [0];
  for (const [i, length] of texts.entries()) {
    for (let n = 0; i > 0 && n < slots; n++) {
      ids.push(config.padTokenId);
      types.push(1);
    }
    for (let n = 0; n < length; n++) {
      ids.push(3 + rng.integer(VOCABULARY - 3));
      types.push(0);
    }
  }
  return { ids, types, images: texts.length - 1 };
}

/** Random pictures [n, C, S, S], or undefined for none. */
export function randomPixels(
  config: CogVLMConfig,
  n: number,
  seed: number,
  dtype: DType = 'float64',
): Tensor | undefined {
  if (n === 0) return undefined;
  const { inChannels: C, imageSize: S } = config.vision;
  return Tensor.randn([n, C, S, S], new Rng(seed), { dtype });
}

export const anySizes: fc.Arbitrary<TinySizes> = fc
  .record({
    kvHeads: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    headDim: fc.constantFrom(2, 4, 6),
    layers: fc.integer({ min: 1, max: 3 }),
    intermediateSize: fc.integer({ min: 1, max: 9 }),
    vitHeads: fc.integer({ min: 1, max: 3 }),
    vitHeadDim: fc.integer({ min: 1, max: 4 }),
    vitLayers: fc.integer({ min: 1, max: 2 }),
    grid: fc.integer({ min: 2, max: 4 }),
    patchSize: fc.integer({ min: 1, max: 3 }),
    downsample: fc.boolean(),
    bias: fc.boolean(),
  })
  .map(({ kvHeads, ...sizes }) => ({ ...sizes, heads: kvHeads * sizes.group }));

/** Lengths of the texts of one conversation, so at most two pictures. */
export const anyTexts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });

export const anySeed = fc.nat(1_000_000);
