/** y = x·Wᵀ + b, weight stored [out, in] as in PyTorch. */
import { expectShape, type Tensor } from '../tensor/index.ts';
import { fanInUniform, type WeightOptions } from './init.ts';
import { Module, type Parameter } from './module.ts';

export interface LinearConfig extends WeightOptions {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
}

/** y = x Wᵀ + b: [..., in] → [..., out]. */
export class Linear extends Module<[x: Tensor], Tensor> {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(config: LinearConfig) {
    super();
    const { inFeatures, outFeatures } = config;
    this.weight = fanInUniform([outFeatures, inFeatures], inFeatures, config);
    this.bias = config.bias ? fanInUniform([outFeatures], inFeatures, config) : null;
  }

  /**
   * @shape x [..., in] → [..., out]
   * @throws ShapeError where the last axis of x is not `inFeatures`
   */
  forward(x: Tensor): Tensor {
    expectShape(x, '... in', { op: 'Linear', argument: 'x', sizes: { in: this.weight.shape[1] } });
    const y = x.matmul(this.weight.transpose());
    return this.bias === null ? y : y.add(this.bias);
  }
}
