/**
 * What a training stage trains. CogVLM's pretraining freezes language model and ViT and trains experts, adapter, boi and
 * eoi (§2.2); its alignment thaws the ViT at a tenth of the rate (§2.3).
 */
import { type CogVLM, checkpointKeys, type ModelPart } from '../models/cogvlm/index.ts';
import type { Parameter, ParameterGroup } from '../nn/index.ts';
import { noGrad, Tensor } from '../tensor/index.ts';

/** Which parts of the model a stage trains. */
export interface StageParts {
  /** Learning-rate factor of each part that trains; parts not named are frozen. */
  readonly lrScale: Readonly<Partial<Record<ModelPart, number>>>;
  /** Names of weights that stay as they are although their part trains. */
  readonly frozen?: readonly string[];
  /** For weights of two axes and more; norm weights, biases and single vectors have none. */
  readonly weightDecay: number;
}

/**
 * Freezes what the stage does not train and groups the rest for the optimiser.
 * @throws WeightNameError for a weight, or a name in `frozen`, that the table of names lacks
 */
export function parameterGroups(
  model: CogVLM,
  { lrScale, weightDecay, frozen = [] }: StageParts,
): ParameterGroup[] {
  const keys = checkpointKeys(model.config);
  for (const name of frozen) keys.get(name);
  const groups = new Map<
    string,
    { parameters: Map<string, Parameter>; lrScale: number; weightDecay: number }
  >();
  for (const [name, parameter] of model.namedParameters()) {
    const scale = frozen.includes(name) ? undefined : lrScale[keys.get(name).part];
    parameter.requiresGrad = scale !== undefined;
    if (scale === undefined) continue;
    const isMatrix = parameter.shape.filter((n) => n > 1).length >= 2;
    const decay = isMatrix ? weightDecay : 0;
    const id = `${scale} ${decay}`;
    const group = groups.get(id) ?? { parameters: new Map(), lrScale: scale, weightDecay: decay };
    groups.set(id, group);
    group.parameters.set(name, parameter);
  }
  return [...groups.values()];
}

/**
 * Starts every visual expert from the language model's weights (§2.1); a bias that only the expert has becomes 0.
 * @throws WeightNameError where the model's weights are not those of the table
 */
export function copyLanguageToExperts(model: CogVLM): void {
  const weights = checkpointKeys(model.config).match(model.state());
  noGrad(() => {
    for (const { weight, twin } of weights.values()) {
      if (twin === undefined) continue;
      const source = twin === null ? undefined : weights.get(twin)?.weight;
      weight.assign(source ?? Tensor.zeros(weight.shape, { dtype: weight.dtype }));
    }
  });
}
