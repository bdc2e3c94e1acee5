/** Starts a model's weights anew: the table of names says of what kind each is, a recipe says how a kind starts. */
import { noGrad, type Rng, Tensor } from '../../tensor/index.ts';
import { checkpointKeys, type StartKind } from './checkpointKeys.ts';
import type { CogVLM } from './cogvlm.ts';

/** One constant; or normal numbers of a standard deviation, or of gain/√(fan in). */
export type Start = { readonly value: number } | { readonly std: number } | { readonly gain: number };

/** How the weights of each kind start. */
export type Starts = Readonly<Record<Exclude<StartKind, 'computed'>, Start>>;

/**
 * Draws every weight from `rng`, in the order of the table. What the config determines (rotary frequencies) stays.
 * @throws WeightNameError where the model's weights are not those of the table
 */
export function initializeWeights(model: CogVLM, starts: Starts, rng: Rng): void {
  noGrad(() => {
    for (const { start, weight } of checkpointKeys(model.config).match(model.state()).values()) {
      if (start === 'computed') continue;
      const values = startValues(weight, starts[start], rng);
      weight.assign(values);
      values.dispose();
    }
  });
}

function startValues({ shape, dtype }: Tensor, start: Start, rng: Rng): Tensor {
  if ('value' in start) return Tensor.full(shape, start.value, { dtype });
  const fanIn = shape.slice(1).reduce((n, m) => n * m, 1);
  const std = 'std' in start ? start.std : start.gain / Math.sqrt(fanIn);
  return Tensor.randn(shape, rng, { dtype }).mul(std);
}
