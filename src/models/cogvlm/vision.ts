/**
 * From pixels to the image part of the sequence:  concat(boi, adapter(ViT(pixels)), eoi).
 *
 * The class token takes part in all blocks and is dropped after them. CogVLM2 halves the grid with a 2×2 convolution
 * before the adapter. boi and eoi are learned and do not pass through the adapter.
 */

import { Module, type Parameter, PatchConv, type WeightOptions, zeros } from '../../nn/index.ts';
import { concat, expectShape, type Tensor } from '../../tensor/index.ts';
import { Adapter } from './adapter.ts';
import { type CogVLMConfig, patchGrid, type VisionConfig } from './config.ts';
import { PatchEmbedding, VitTransformer } from './evaVit.ts';

export class VisionModel extends Module<[pixels: Tensor], Tensor> {
  readonly patch_embedding: PatchEmbedding;
  readonly transformer: VitTransformer;
  readonly conv: PatchConv | null;
  readonly linear_proj: Adapter;
  readonly boi: Parameter;
  readonly eoi: Parameter;
  readonly #config: VisionConfig;

  constructor(config: CogVLMConfig, weights: WeightOptions) {
    super();
    const { vision, hiddenSize: D } = config;
    const { hiddenSize: E } = vision;
    this.patch_embedding = new PatchEmbedding(vision, weights);
    this.transformer = new VitTransformer(vision, weights);
    this.conv = vision.convDownsample
      ? new PatchConv({ inChannels: E, outChannels: E, size: 2, ...weights })
      : null;
    this.linear_proj = new Adapter(config, weights);
    this.boi = zeros([1, 1, D], weights);
    this.eoi = zeros([1, 1, D], weights);
    this.#config = vision;
  }

  /**
   * @shape pixels [B, C, g·p, g·p] → [B, N + 2, D]
   * @throws ShapeError where the pictures are not of the config's size
   */
  forward(pixels: Tensor): Tensor {
    const { inChannels: C, imageSize: side } = this.#config;
    expectShape(pixels, 'B C side side', {
      op: 'VisionModel',
      argument: 'pixels',
      sizes: { C, side },
      hint: 'resize the pictures to the image_size of the config.',
    });
    const x = this.transformer.call(this.patch_embedding.call(pixels)).slice(1, 1); // [B, g², E], class token dropped
    const v = this.linear_proj.call(this.conv === null ? x : this.#downsample(x, this.conv)); // [B, N, D]
    const [B, , D] = v.shape;
    return concat([this.boi.expand(B, 1, D), v, this.eoi.expand(B, 1, D)], 1);
  }

  /** @shape x [B, g², E] → [B, ⌊g/2⌋², E] */
  #downsample(x: Tensor, conv: PatchConv): Tensor {
    const [B, , E] = x.shape;
    const g = patchGrid(this.#config);
    const y = conv.call(x.transpose().reshape(B, E, g, g)); // [B, E, g/2, g/2]
    return y.reshape(B, E, y.shape[2] * y.shape[3]).transpose();
  }
}
