/**
 * CogVLM (arXiv 2311.03079): a language model and an image encoder joined at the input and, by visual experts, in
 * every layer. Fields are named as the released checkpoint's keys.
 *
 * B batch, T sequence, D width, V vocabulary, N image tokens, C channels, g patches along one side, p pixels of a patch
 */

import {
  crossEntropy,
  Embedding,
  IGNORE_INDEX,
  Linear,
  Module,
  RMSNorm,
  type WeightOptions,
} from '../../nn/index.ts';
import { concat, expectShape, ShapeError, Tensor } from '../../tensor/index.ts';
import { type CogVLMConfig, checkConfig, imageTokens } from './config.ts';
import { DecoderLayer } from './decoder.ts';
import { ExpertRouting } from './expertRouting.ts';
import type { KVCache } from './kvCache.ts';
import { positionIds, VISION_TYPE, visionExpertMask } from './masks.ts';
import { VisionModel } from './vision.ts';
import type { LayerContext } from './visualExpert.ts';

/** A batch of token sequences [B, T], all of one length. */
export interface ModelInput {
  /** Image places hold any id (the pad id by custom). */
  readonly ids: readonly (readonly number[])[];
  /** 1 where a place belongs to a picture (boi, N image tokens, eoi), else 0; default all 0. */
  readonly types?: readonly (readonly number[])[] | undefined;
  /** 0 at padding, 1 elsewhere; default all 1. With a cache: of all positions so far. */
  readonly attentionMask?: readonly (readonly number[])[] | undefined;
  /** Pictures of the whole batch in order, [n, C, g·p, g·p]; n·(N + 2) places have type 1. */
  readonly pixels?: Tensor | undefined;
  /**
   * What the vision model made of the pictures, [n, N + 2, D], in place of `pixels`: to ask much about a picture that was
   * encoded once, or to put something else in its places.
   */
  readonly imageFeatures?: Tensor | undefined;
  /** Position ids, where they do not follow from types and mask (a step of cached generation). */
  readonly positions?: readonly (readonly number[])[] | undefined;
  readonly cache?: KVCache | undefined;
}

export class CogVLMModel extends Module<[input: ModelInput], Tensor> {
  readonly embed_tokens: Embedding;
  readonly layers: readonly DecoderLayer[];
  readonly norm: RMSNorm;
  readonly vision: VisionModel;
  readonly #slots: number;

  constructor(config: CogVLMConfig, weights: WeightOptions) {
    super();
    const { vocabSize, hiddenSize: D } = config;
    this.embed_tokens = new Embedding({ numEmbeddings: vocabSize, embeddingDim: D, ...weights });
    this.layers = Array.from({ length: config.numHiddenLayers }, () => new DecoderLayer(config, weights));
    this.norm = new RMSNorm({ width: D, eps: config.rmsNormEps, ...weights });
    this.vision = new VisionModel(config, weights);
    this.#slots = imageTokens(config.vision) + 2;
  }

  /** @shape ids [B, T] → hidden states [B, T, D] */
  forward(input: ModelInput): Tensor {
    const { ids, cache } = input;
    const types = input.types ?? ids.map((row) => row.map(() => 0));
    const text = this.embed_tokens.call(ids); // [B, T, D]
    checkRows('types', types, ids);
    const features = input.imageFeatures ?? (input.pixels && this.vision.call(input.pixels));
    const x =
      features === undefined ? this.#withoutImages(text, types) : this.#withImages(text, types, features);
    const context: LayerContext = {
      routing: new ExpertRouting(types.map(visionExpertMask)),
      positions: input.positions ?? types.map((row, b) => positionIds(row, input.attentionMask?.[b])),
      visible: this.#visible(input),
    };
    const h = this.layers.reduce((state, layer, i) => layer.call(state, context, cache?.layers[i]), x);
    return this.norm.call(h);
  }

  /** Image features [n, N + 2, D] take the places of type 1, in order. */
  #withImages(text: Tensor, types: readonly (readonly number[])[], features: Tensor): Tensor {
    const [B, T, D] = text.shape;
    const flat = types.flat();
    const places = flat.filter((type) => type === VISION_TYPE).length;
    const [images, slots] = features.shape;
    if (places !== images * slots || slots !== this.#slots) {
      throw new ShapeError({
        op: 'CogVLM',
        argument: 'types',
        got: { features },
        rule: `${places} places have type 1, but ${images} pictures of ${this.#slots} tokens (boi, ${this.#slots - 2} patches, eoi) fill ${images * this.#slots}`,
      });
    }
    let next = B * T;
    const index = flat.map((type, i) => (type === VISION_TYPE ? next++ : i));
    const rows = concat([text.reshape(B * T, D), features.reshape(places, D)]);
    return rows.gatherRows(Tensor.fromArray(index, [B * T], { dtype: 'int32' })).reshape(B, T, D);
  }

  #withoutImages(text: Tensor, types: readonly (readonly number[])[]): Tensor {
    if (!types.flat().includes(VISION_TYPE)) return text;
    throw new ShapeError({
      op: 'CogVLM',
      argument: 'pixels',
      got: {},
      rule: 'places have type 1, but no picture came',
    });
  }

  #visible({ attentionMask, ids, cache }: ModelInput): Tensor | undefined {
    if (attentionMask === undefined) return undefined;
    const S = (cache?.length ?? 0) + ids[0].length;
    checkRows('attentionMask', attentionMask, ids, S);
    if (attentionMask.every((row) => row.every((seen) => seen !== 0))) return undefined;
    return Tensor.fromArray(attentionMask.flat(), [ids.length, S], { dtype: 'bool' });
  }
}

/** The whole model: ids and pixels in, logits [B, T, V] out. */
export class CogVLM extends Module<[input: ModelInput, lastOnly?: boolean], Tensor> {
  readonly model: CogVLMModel;
  readonly lm_head: Linear;
  readonly config: CogVLMConfig;
  #hasWeights: boolean;

  /**
   * Without `rng` the weights are zeros, to be loaded from a checkpoint; a model of zeros does not run.
   * @throws ConfigError where the sizes do not fit together
   */
  constructor(config: CogVLMConfig, weights: WeightOptions = {}) {
    super();
    checkConfig(config);
    this.#hasWeights = weights.rng !== undefined;
    this.config = config;
    this.model = new CogVLMModel(config, weights);
    this.lm_head = new Linear({
      inFeatures: config.hiddenSize,
      outFeatures: config.vocabSize,
      bias: false,
      ...weights,
    });
  }

  /**
   * Logits of the next token at every place, or only after the last one.
   * @shape ids [B, T] → [B, T, V], or [B, 1, V]
   * @throws Error where the weights were neither drawn nor loaded
   */
  forward(input: ModelInput, lastOnly = false): Tensor {
    this.#requireWeights();
    const h = this.model.call(input);
    return this.lm_head.call(lastOnly ? h.slice(1, -1) : h);
  }

  /** Zeros have no gradient but zeros: such a model would say token 0 and stay as it is however long it trained. */
  #requireWeights(): void {
    this.#hasWeights ||= [...this.namedParameters().values()].some(({ wasAssigned }) => wasAssigned);
    if (this.#hasWeights) return;
    throw new Error(
      'CogVLM: the weights are zeros: the model was made without random numbers and nothing was loaded. Draw them, ' +
        'new CogVLM(config, { rng: new Rng(seed) }), or load a checkpoint.',
    );
  }

  /**
   * Mean cross entropy of each next token, labels [B, T] of which −100 takes no part: logits at t are judged by the
   * label at t + 1.
   * @throws ShapeError where labels are not of the rows and places of the logits
   */
  loss(logits: Tensor, labels: readonly (readonly number[])[]): Tensor {
    checkRows('labels', labels, labels);
    const sizes = { B: labels.length, T: labels[0]?.length ?? 0, V: this.config.vocabSize };
    const { V } = expectShape(logits, 'B T V', { op: 'CogVLM.loss', argument: 'logits', sizes });
    const shifted = labels.flatMap((row) => [...row.slice(1), IGNORE_INDEX]);
    return crossEntropy(logits.reshape(shifted.length, V), shifted);
  }
}

function checkRows(
  argument: string,
  rows: readonly (readonly number[])[],
  ids: readonly (readonly number[])[],
  length = ids[0]?.length ?? 0,
): void {
  const bad = rows.length !== ids.length ? rows.length : rows.findIndex((row) => row.length !== length);
  if (rows.length === ids.length && bad < 0) return;
  const rule =
    rows.length === ids.length
      ? `row ${bad} has ${rows[bad].length} entries, expected ${length}`
      : `${rows.length} rows for ${ids.length} rows of ids`;
  throw new ShapeError({ op: 'CogVLM', argument, got: {}, rule });
}
