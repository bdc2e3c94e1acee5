/** Normalisation over the last axis; formulas and gradients in tensor/ops/norm.ts. */
import { apply, type Tensor } from '../tensor/index.ts';
import { ones, type WeightOptions, zeros } from './init.ts';
import { Module, type Parameter } from './module.ts';

export interface NormConfig extends WeightOptions {
  readonly width: number;
  readonly eps: number;
}

/** (x − mean)/√(var + ε)·weight + bias with the biased variance. */
export class LayerNorm extends Module<[x: Tensor], Tensor> {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #eps: number;

  constructor(config: NormConfig) {
    super();
    this.weight = ones([config.width], config);
    this.bias = zeros([config.width], config);
    this.#eps = config.eps;
  }

  /** @shape x [..., D] → [..., D] */
  forward(x: Tensor): Tensor {
    return apply('layerNorm', [x, this.weight, this.bias], { eps: this.#eps });
  }
}

/** weight·(x/√(mean x² + ε)): no mean is taken off, no bias; the weight multiplies before any rounding. */
export class RMSNorm extends Module<[x: Tensor], Tensor> {
  readonly weight: Parameter;
  readonly #eps: number;

  constructor(config: NormConfig) {
    super();
    this.weight = ones([config.width], config);
    this.#eps = config.eps;
  }

  /** @shape x [..., D] → [..., D] */
  forward(x: Tensor): Tensor {
    return apply('rmsNorm', [x, this.weight], { eps: this.#eps });
  }
}
