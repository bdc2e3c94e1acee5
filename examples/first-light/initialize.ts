/** Starts a model's weights by the recipe. */
import { type CogVLM, initializeWeights } from '../../src/models/cogvlm/index.ts';
import { Rng } from '../../src/tensor/index.ts';
import { initialization } from './recipe.ts';

export function initialize(model: CogVLM): void {
  const residual = initialization.residualScale ? 1 / Math.sqrt(2 * model.config.numHiddenLayers) : 1;
  initializeWeights(
    model,
    {
      embedding: { std: initialization.embedding },
      position: { std: initialization.position },
      linear: { gain: 1 },
      residual: { gain: residual },
      head: { gain: initialization.head },
      norm: { value: 1 },
      residualNorm: { value: initialization.vitNorm },
      bias: { value: 0 },
    },
    new Rng(initialization.seed),
  );
}
