/** An object of config fields, read one by one, with errors that name the field as its author wrote it. */
import { nearNames } from './nearNames.ts';

/** A config that cannot be a CogVLM's. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** How the fields are called where they come from. */
interface Naming {
  /** Named first in every message. */
  readonly source: string;
  /** A field's own name, where it is another. */
  readonly names: Readonly<Record<string, string>>;
}

/** As the program has them. */
export const OWN_NAMES: Naming = { source: 'CogVLM config', names: {} };

/** As the released config.json has them. */
export const JSON_NAMES: Naming = {
  source: 'config.json',
  names: {
    vision: 'vision_config',
    vocabSize: 'vocab_size',
    hiddenSize: 'hidden_size',
    intermediateSize: 'intermediate_size',
    numHiddenLayers: 'num_hidden_layers',
    numAttentionHeads: 'num_attention_heads',
    numKeyValueHeads: 'num_multi_query_heads',
    rmsNormEps: 'rms_norm_eps',
    ropeTheta: 'rope_theta',
    visionExpertQkvBias: 'vision_expert_qkv_bias',
    bosTokenId: 'bos_token_id',
    eosTokenId: 'eos_token_id',
    padTokenId: 'pad_token_id',
    templateVersion: 'template_version',
    imageSize: 'image_size',
    patchSize: 'patch_size',
    inChannels: 'in_channels',
    numHeads: 'num_heads',
    numPositions: 'num_positions',
    layerNormEps: 'layer_norm_eps',
    convDownsample: 'conv_downsample',
    hiddenAct: 'hidden_act',
  },
};

export class ConfigFields {
  /** What holds the fields, for messages. */
  readonly source: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #naming: Naming;
  readonly #prefix: string;

  constructor(fields: unknown, naming: Naming, prefix = '') {
    this.source = naming.source;
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
      const what = prefix === '' ? (naming === OWN_NAMES ? 'it' : 'the file') : prefix.slice(0, -1);
      throw new ConfigError(`${this.source}: ${what} is not an object`);
    }
    this.#fields = fields as Record<string, unknown>;
    this.#naming = naming;
    this.#prefix = prefix;
  }

  /** The field's name in messages. */
  path(field: string): string {
    return this.#prefix + this.#name(field);
  }

  /** The fields of an object in it. */
  object(field: string): ConfigFields {
    return new ConfigFields(this.#fields[this.#name(field)], this.#naming, `${this.path(field)}.`);
  }

  /** @throws ConfigError for a field that is none of `known`, with the names most like it */
  requireKnown(known: readonly string[]): void {
    const odd = Object.keys(this.#fields).find((field) => !known.includes(field));
    if (odd === undefined) return;
    const near = nearNames(odd, known);
    throw new ConfigError(
      `${this.source}: ${this.#prefix}${odd} is not a field; ` +
        (near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${known.join(', ')}`),
    );
  }

  /** @throws ConfigError for the first of `fields` that is not there */
  requireAll(fields: readonly string[]): void {
    const missing = fields.find((field) => this.#fields[this.#name(field)] === undefined);
    if (missing === undefined) return;
    throw new ConfigError(
      `${this.source}: ${this.path(missing)} is missing; defineConfig fills what the released model has`,
    );
  }

  count(field: string, fallback?: number): number {
    const accept = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) > 0;
    return this.#read(field, 'a positive integer', accept, fallback);
  }

  id(field: string, fallback?: number): number {
    const accept = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
    return this.#read(field, 'a token id', accept, fallback);
  }

  ids(field: string, fallback?: readonly number[]): readonly number[] {
    const value = this.#fields[this.#name(field)] ?? fallback;
    if (!Array.isArray(value)) return [this.id(field)];
    const items = new ConfigFields({ ...value }, this.#naming, `${this.path(field)}.`);
    return value.map((_, i) => items.id(String(i)));
  }

  positive(field: string, fallback?: number): number {
    const accept = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && v > 0;
    return this.#read(field, 'a positive number', accept, fallback);
  }

  flag(field: string, fallback?: boolean): boolean {
    const accept = (v: unknown): v is boolean => typeof v === 'boolean';
    return this.#read(field, 'true or false', accept, fallback);
  }

  oneOf<T extends string>(field: string, values: readonly T[], fallback?: T): T {
    const accept = (v: unknown): v is T => values.some((value) => value === v);
    return this.#read(field, values.map((v) => `"${v}"`).join(' or '), accept, fallback);
  }

  expect(field: string, value: string): void {
    this.oneOf(field, [value], value);
  }

  #name(field: string): string {
    return this.#naming.names[field] ?? field;
  }

  #read<T>(field: string, expected: string, accept: (value: unknown) => value is T, fallback?: T): T {
    const value = this.#fields[this.#name(field)] ?? fallback;
    if (accept(value)) return value;
    const got = value === undefined ? 'is missing' : `is ${shown(value)}`;
    throw new ConfigError(`${this.source}: ${this.path(field)} ${got}, expected ${expected}`);
  }
}

/** As JSON writes it; NaN and ∞ too, which JSON cannot. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
