/** Starts a model's weights by the recipe. Which rule a weight has is told by its name in the checkpoint. */
import { type CogVLM, checkpointKeys } from '../../src/models/cogvlm/index.ts';
import { Parameter } from '../../src/nn/index.ts';
import { noGrad, Rng, Tensor } from '../../src/tensor/index.ts';
import { initialization } from './recipe.ts';

/** Normal numbers of this standard deviation, or one constant. */
type Start = { readonly std: number } | { readonly value: number };

const VIT_NORM = /vision\.transformer\.layers\.\d+\.(input|post_attention)_layernorm\.weight$/;
const NORM = /norm1?\.weight$/;
const RESIDUAL = /(expert_dense|down_proj)\.weight$/;

function startOf(name: string, shape: readonly number[], layers: number): Start {
  if (VIT_NORM.test(name)) return { value: initialization.vitNorm };
  if (NORM.test(name)) return { value: 1 };
  if (name.endsWith('bias') || name.endsWith('boi') || name.endsWith('eoi')) return { value: 0 };
  if (name.includes('cls_embedding') || name.includes('position_embedding'))
    return { std: initialization.position };
  if (name.includes('embed_tokens')) return { std: initialization.embedding };
  const fanIn = shape.slice(1).reduce((n, m) => n * m, 1);
  const residual = initialization.residualScale && RESIDUAL.test(name) ? 1 / Math.sqrt(2 * layers) : 1;
  const gain = name === 'lm_head.weight' ? initialization.head : residual;
  return { std: gain / Math.sqrt(fanIn) };
}

export function initialize(model: CogVLM): void {
  const rng = new Rng(initialization.seed);
  const state = model.stateDict();
  noGrad(() => {
    for (const name of checkpointKeys(model.config).keys()) {
      const weight = state.get(name);
      if (!(weight instanceof Parameter)) continue;
      const start = startOf(name, weight.shape, model.config.numHiddenLayers);
      const values =
        'value' in start
          ? Tensor.full(weight.shape, start.value)
          : Tensor.randn(weight.shape, rng).mul(start.std);
      weight.assign(values);
      values.dispose();
    }
  });
}
