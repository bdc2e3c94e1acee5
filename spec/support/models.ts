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

/** One unit in the last place of a float32, as a part of the number; at most two. */
const LAST_PLACE = 2 ** -23;

/** Normal numbers rounded to float32, so that they are the same numbers in either dtype. */
function randomNumbers(size: number, mean: number, std: number, rng: Rng, nudge?: Rng): number[] {
  const move = () => (nudge === undefined ? 1 : 1 + (nudge.uniform() < 0.5 ? LAST_PLACE : -LAST_PLACE));
  return Array.from({ length: size }, () => Math.fround(Math.fround(mean + std * rng.normal()) * move()));
}

/**
 * Every weight random, also those that a fresh model starts at 0 or 1.
 * @param nudge moves each number by the last place of a float32, up or down
 */
export function randomModel(
  config: CogVLMConfig,
  seed: number,
  dtype: DType = 'float64',
  nudge?: Rng,
): CogVLM {
  const model = new CogVLM(config, { dtype });
  const rng = new Rng(seed);
  for (const [path, weight] of model.namedParameters()) {
    const fanIn = weight.shape.slice(1).reduce((n, m) => n * m, 1);
    const std = weight.rank === 2 || weight.rank === 4 ? 1.5 / Math.sqrt(fanIn) : 0.5;
    const mean = /norm\w*\.weight$/.test(path) ? 1 : 0;
    const values = Tensor.fromArray(randomNumbers(weight.size, mean, std, rng, nudge), weight.shape, {
      dtype,
    });
    weight.assign(values);
    values.dispose();
  }
  return model;
}

/** One conversation: token ids and types of its places, how many pictures it holds, and the seed of their pixels. */
export interface Conversation {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly images: number;
  readonly seed: number;
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
  return { ids, types, images: texts.length - 1, seed };
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
  return Tensor.fromArray(randomNumbers(n * C * S * S, 0, 1, new Rng(seed)), [n, C, S, S], { dtype });
}

export type Side = 'left' | 'right';

/** Conversations padded to one length. */
export interface Batch {
  readonly ids: number[][];
  readonly types: number[][];
  readonly attentionMask: number[][];
  /** The pictures of all rows in order. */
  readonly pixels: Tensor | undefined;
}

/** Conversations as one batch, padded on the left or right; each brings its own pictures. */
export function batchOf(
  config: CogVLMConfig,
  talks: readonly Conversation[],
  { side = 'left', dtype = 'float64', nudge }: { side?: Side; dtype?: DType; nudge?: Rng | undefined } = {},
): Batch {
  const length = Math.max(...talks.map(({ ids }) => ids.length));
  const padded = (values: readonly number[], pad: number) => {
    const pads = new Array<number>(length - values.length).fill(pad);
    return side === 'left' ? [...pads, ...values] : [...values, ...pads];
  };
  const { inChannels: C, imageSize: S } = config.vision;
  const pixels = talks.flatMap(({ images, seed }) =>
    randomNumbers(images * C * S * S, 0, 1, new Rng(seed), nudge),
  );
  const shape = [pixels.length / (C * S * S), C, S, S];
  return {
    ids: talks.map(({ ids }) => padded(ids, config.padTokenId)),
    types: talks.map(({ types }) => padded(types, 0)),
    attentionMask: talks.map(({ ids }) =>
      padded(
        ids.map(() => 1),
        0,
      ),
    ),
    pixels: pixels.length === 0 ? undefined : Tensor.fromArray(pixels, shape, { dtype }),
  };
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

/**
 * Of one number LayerNorm makes 0 and of two ±1, almost whatever they are: such a model hardly sees its picture, and what
 * gradient flows through is decided by roundings. LayerNorm stands in the ViT and in the adapter.
 */
export function hasWideNorms({ vitHeads, vitHeadDim, heads, headDim }: TinySizes): boolean {
  return vitHeads * vitHeadDim > 2 && heads * headDim > 2;
}

/** Lengths of the texts of one conversation, so at most two pictures. */
export const anyTexts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });

export const anySeed = fc.nat(1_000_000);
