/** What fresh weights are drawn from, exactly: the same generator with the same seed gives the same numbers. */
import { describe, expect, it } from 'vitest';
import { Embedding, LayerNorm, Linear, normal, PatchConv, RMSNorm, SwiGLU } from '../../src/nn/index.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';

const uniform = (shape: readonly number[], fanIn: number, rng: Rng) =>
  Tensor.uniform(shape, rng, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)).data;

describe('fresh weights', () => {
  it('of Linear lie in ±1/√in, as in PyTorch', () => {
    const { weight, bias } = new Linear({ inFeatures: 9, outFeatures: 4, bias: true, rng: new Rng(3) });
    const rng = new Rng(3);
    expect(weight.data).toEqual(uniform([4, 9], 9, rng));
    expect(bias?.data).toEqual(uniform([4], 9, rng));
  });

  it('of PatchConv lie in ±1/√(C·p²)', () => {
    const { weight, bias } = new PatchConv({ inChannels: 3, outChannels: 5, size: 2, rng: new Rng(3) });
    const rng = new Rng(3);
    expect(weight.data).toEqual(uniform([5, 3, 2, 2], 12, rng));
    expect(bias.data).toEqual(uniform([5], 12, rng));
  });

  it('of SwiGLU are those of its three projections', () => {
    const ffn = new SwiGLU({ width: 4, intermediateSize: 6, rng: new Rng(3) });
    const rng = new Rng(3);
    for (const { weight } of [ffn.gate_proj, ffn.up_proj])
      expect(weight.data).toEqual(uniform([6, 4], 4, rng));
    expect(ffn.down_proj.weight.data).toEqual(uniform([4, 6], 6, rng));
  });

  it('of Embedding are standard normal', () => {
    const { weight } = new Embedding({ numEmbeddings: 5, embeddingDim: 3, rng: new Rng(3) });
    expect(weight.data).toEqual(Tensor.randn([5, 3], new Rng(3)).data);
  });

  it('have the standard deviation that is asked for', () => {
    const drawn = normal([4], 0.02, { rng: new Rng(3), dtype: 'float64' });
    const standard = Tensor.randn([4], new Rng(3), { dtype: 'float64' });
    expect(drawn.data).toEqual(standard.data.map((x) => 0.02 * x));
  });

  it('without a generator are zero, those of norms one', () => {
    const linear = new Linear({ inFeatures: 2, outFeatures: 1, bias: true });
    const table = new Embedding({ numEmbeddings: 2, embeddingDim: 1 });
    const norm = new LayerNorm({ width: 2, eps: 1e-5 });
    const zero = [linear.weight, linear.bias ?? linear.weight, table.weight, norm.bias];
    for (const { data } of zero) expect(new Set(data)).toEqual(new Set([0]));
    for (const { weight } of [norm, new RMSNorm({ width: 2, eps: 1e-5 })])
      expect([...weight.data]).toEqual([1, 1]);
  });
});
