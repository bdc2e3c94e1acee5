/**
 * A property: a sentence that holds for every CogVLM, whatever its sizes, weights, prompts and pictures, and the search for
 * a model that breaks it. A setting says on which backend it is searched and how long.
 */
import fc from 'fast-check';
import type { Backend } from '../../src/kernels/backend.ts';
import type { BackendName } from '../../src/kernels/registry.ts';
import type { CogVLM, CogVLMConfig } from '../../src/models/cogvlm/index.ts';
import { getBackend, scope, setBackend } from '../../src/tensor/index.ts';
import { randomModel, type TinySizes } from '../support/models.ts';
import type { Noise } from '../support/noise.ts';

export interface Setting {
  /** "wasm, float32" */
  readonly name: string;
  /** The backend as reports name it. */
  readonly place: string;
  readonly backend: BackendName | Backend;
  readonly dtype: 'float32' | 'float64';
  /** How many times the noise of its dtype (spec/support/noise.ts) two results may differ by. */
  readonly tolerance: number;
  /** Random cases of a property that takes them all. */
  readonly runs: number;
  /** Of the random cases. */
  readonly seed: number;
  /** The models it looks at. */
  readonly sizes: fc.Arbitrary<TinySizes>;
}

export interface Property {
  /** The sentence. */
  readonly name: string;
  /** Rejects with the smallest case found that breaks the sentence. Leaves the backend in use as it was. */
  holds(setting: Setting): Promise<void>;
  /** Settings where it says nothing. */
  readonly restriction?: { readonly applies: (setting: Setting) => boolean; readonly reason: string };
}

export function applies({ restriction }: Property, setting: Setting): boolean {
  return restriction?.applies(setting) ?? true;
}

/** What a case is tried with. */
export interface Trial {
  readonly setting: Setting;
  /** A random model in the setting's dtype, which goes when the case is done. */
  model(config: CogVLMConfig, seed: number): CogVLM;
  /** What tensor `name` may be off by here. */
  allowed(noise: Noise, name: string): number;
}

/**
 * Tries random cases on the setting's backend.
 * @param share part of the setting's runs, at least one: for cases that take long
 */
export async function forAll<Case>(
  setting: Setting,
  share: number,
  cases: fc.Arbitrary<Case>,
  holds: (one: Case, trial: Trial) => Promise<void>,
): Promise<void> {
  const before = getBackend();
  await setBackend(setting.backend);
  try {
    const property = fc.asyncProperty(cases, (one) => scope(() => tried(setting, one, holds)));
    await fc.assert(property, { numRuns: Math.ceil(setting.runs * share), seed: setting.seed });
  } finally {
    await setBackend(before);
  }
}

async function tried<Case>(
  setting: Setting,
  one: Case,
  holds: (one: Case, trial: Trial) => Promise<void>,
): Promise<void> {
  const models: CogVLM[] = [];
  const { dtype, tolerance } = setting;
  const dtypeNoise = dtype === 'float64' ? 2 ** -29 : 1;
  const trial: Trial = {
    setting,
    model(config, seed) {
      const model = randomModel(config, seed, dtype);
      models.push(model);
      return model;
    },
    allowed: ({ float32 }, name) => tolerance * dtypeNoise * (float32.get(name) ?? 0),
  };
  try {
    await holds(one, trial);
  } finally {
    for (const model of models) model.dispose();
  }
}
