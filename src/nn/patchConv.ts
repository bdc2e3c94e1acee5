/**
 * Convolution whose stride is its kernel size: the picture falls into tiles, each tile is one row of a matrix product.
 * The ViT's patch embedding (14×14) and CogVLM2's downsampling (2×2) are of this kind. Rows and columns that do not
 * fill a tile are dropped, as Conv2d does.
 */
import { expectShape, type Tensor } from '../tensor/index.ts';
import { fanInUniform, type WeightOptions } from './init.ts';
import { Module, type Parameter } from './module.ts';

export interface PatchConvConfig extends WeightOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Kernel size and stride. */
  readonly size: number;
}

/** A convolution whose stride is its kernel: patches of a picture as one matrix product. */
export class PatchConv extends Module<[x: Tensor], Tensor> {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #size: number;

  constructor(config: PatchConvConfig) {
    super();
    const { inChannels: C, outChannels: O, size: p } = config;
    this.weight = fanInUniform([O, C, p, p], C * p * p, config);
    this.bias = fanInUniform([O], C * p * p, config);
    this.#size = p;
  }

  /**
   * @shape x [B, C, h·p, w·p] → [B, O, h, w]
   * @throws ShapeError where x is no batch of pictures of `inChannels` channels
   */
  forward(x: Tensor): Tensor {
    const p = this.#size;
    const sizes = { C: this.weight.shape[1] };
    const { B, C, height, width } = expectShape(x, 'B C height width', {
      op: 'PatchConv',
      argument: 'x',
      sizes,
    });
    const [h, w] = [Math.floor(height / p), Math.floor(width / p)];
    const O = this.bias.size;
    const tiles = x
      .slice(2, 0, h * p)
      .slice(3, 0, w * p)
      .reshape(B, C, h, p, w, p)
      .permute(0, 2, 4, 1, 3, 5)
      .reshape(B, h * w, C * p * p);
    const y = tiles.matmul(this.weight.reshape(O, C * p * p).transpose()).add(this.bias); // [B, hw, O]
    return y.transpose().reshape(B, O, h, w);
  }
}
