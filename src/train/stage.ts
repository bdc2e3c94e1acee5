/**
 * What a training stage trains. CogVLM's pretraining freezes language model and ViT and trains experts, adapter, boi and
 * eoi (§2.2); its alignment thaws the ViT at a tenth of the rate (§2.3).
 */
import { type CogVLM, checkpointKeys, type ModelPart } from '../models/cogvlm/index.ts';
import type { Parameter, ParameterGroup } from '../nn/index.ts';
import { noGrad } from '../tensor/index.ts';

export interface StageParts {
  /** Learning-rate factor of each part that trains; parts not named are frozen. */
  readonly lrScale: Readonly<Partial<Record<ModelPart, number>>>;
  /** Names of weights that stay as they are although their part trains. */
  readonly frozen?: readonly string[];
  /** For weights of two axes and more; norm weights, biases and single vectors have none. */
  readonly weightDecay: number;
}

/** Freezes what the stage does not train and groups the rest for the optimiser. */
export function parameterGroups(
  model: CogVLM,
  { lrScale, weightDecay, frozen = [] }: StageParts,
): ParameterGroup[] {
  const keys = checkpointKeys(model.config);
  const groups = new Map<
    string,
    { parameters: Map<string, Parameter>; lrScale: number; weightDecay: number }
  >();
  for (const [name, parameter] of model.namedParameters()) {
    const scale = frozen.includes(name) ? undefined : lrScale[keys.get(name)?.part ?? 'language'];
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

const EXPERTS: readonly (readonly [from: string, to: string])[] = [
  ['language_expert_query_key_value', 'vision_expert_query_key_value'],
  ['language_expert_dense', 'vision_expert_dense'],
  ['language_mlp', 'vision_mlp'],
];

/** Starts every visual expert from the language model's weights (§2.1); a bias that only the expert has becomes 0. */
export function copyLanguageToExperts(model: CogVLM): void {
  const parameters = model.namedParameters();
  noGrad(() => {
    for (const [name, target] of parameters) {
      const pair = EXPERTS.find(([, to]) => name.includes(`.${to}.`));
      if (pair === undefined) continue;
      const source = parameters.get(name.replace(`.${pair[1]}.`, `.${pair[0]}.`));
      target.assign(source ?? target.mul(0));
    }
  });
}
