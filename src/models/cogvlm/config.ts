/**
 * Sizes of a CogVLM, read from the released `config.json`. One code serves CogVLM and CogVLM2; four fields tell them
 * apart, and only the first is in the released files:
 *
 *                                   CogVLM      CogVLM2     where it is read
 *   num_multi_query_heads           = heads     8           config
 *   vision_config.conv_downsample   false       true        config, or the checkpoint has model.vision.conv.weight
 *   vision_expert_qkv_bias          false       true        config, or the checkpoint has such a bias
 *   rope_theta                      10000       500000      config, or by the row above; a stored inv_freq decides
 */
export interface VisionConfig {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly inChannels: number;
  /** E, width of the ViT. */
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numHeads: number;
  readonly layerNormEps: number;
  /** 2×2 convolution of stride 2 after the ViT (CogVLM2). */
  readonly convDownsample: boolean;
}

export type TemplateVersion = 'base' | 'chat' | 'vqa';

export interface CogVLMConfig {
  readonly vocabSize: number;
  /** D, width of the language model. */
  readonly hiddenSize: number;
  /** F, width of its feed-forward networks and of the adapter's. */
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** H_kv: heads of keys and values. */
  readonly numKeyValueHeads: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly visionExpertQkvBias: boolean;
  readonly bosTokenId: number;
  readonly eosTokenId: readonly number[];
  readonly padTokenId: number;
  readonly templateVersion: TemplateVersion;
  readonly vision: VisionConfig;
}

/** A config.json that cannot be a CogVLM's. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What is in a checkpoint, where the config does not say: its tensor names. */
export interface CheckpointNames {
  has(name: string): boolean;
}

const NO_NAMES: CheckpointNames = { has: () => false };

/**
 * @param json the parsed config.json
 * @param names tensor names of the checkpoint it came with, if any
 * @throws ConfigError naming the field, what it holds and what is expected
 */
export function parseConfig(json: unknown, names: CheckpointNames = NO_NAMES): CogVLMConfig {
  const top = new Fields(json, '');
  const eye = new Fields(top.get('vision_config'), 'vision_config.');
  const numAttentionHeads = top.count('num_attention_heads');
  const convDownsample = eye.flag('conv_downsample', names.has('model.vision.conv.weight'));
  const qkvBias = names.has('model.layers.0.self_attn.vision_expert_query_key_value.bias');
  const config: CogVLMConfig = {
    vocabSize: top.count('vocab_size'),
    hiddenSize: top.count('hidden_size'),
    intermediateSize: top.count('intermediate_size'),
    numHiddenLayers: top.count('num_hidden_layers'),
    numAttentionHeads,
    numKeyValueHeads: top.count('num_multi_query_heads', numAttentionHeads),
    rmsNormEps: top.positive('rms_norm_eps', 1e-5),
    ropeTheta: top.positive('rope_theta', convDownsample ? 500000 : 10000),
    visionExpertQkvBias: top.flag('vision_expert_qkv_bias', qkvBias),
    bosTokenId: top.id('bos_token_id', 1),
    eosTokenId: top.ids('eos_token_id', 2),
    padTokenId: top.id('pad_token_id', 0),
    templateVersion: top.oneOf('template_version', ['base', 'chat', 'vqa'], 'chat'),
    vision: {
      imageSize: eye.count('image_size'),
      patchSize: eye.count('patch_size'),
      inChannels: eye.count('in_channels', 3),
      hiddenSize: eye.count('hidden_size'),
      intermediateSize: eye.count('intermediate_size'),
      numHiddenLayers: eye.count('num_hidden_layers'),
      numHeads: eye.count('num_heads'),
      layerNormEps: eye.positive('layer_norm_eps', 1e-6),
      convDownsample,
    },
  };
  checkSizes(config, eye);
  top.expect('hidden_act', 'silu');
  eye.expect('hidden_act', 'gelu');
  return config;
}

function checkSizes(config: CogVLMConfig, eye: Fields): void {
  const { hiddenSize: D, numAttentionHeads: H, numKeyValueHeads: kv, vision } = config;
  const divides = (small: string, n: number, large: string, m: number) => {
    if (m % n !== 0) throw new ConfigError(`config.json: ${large} ${m} is not a multiple of ${small} ${n}`);
  };
  divides('num_attention_heads', H, 'hidden_size', D);
  divides('num_multi_query_heads', kv, 'num_attention_heads', H);
  divides('vision_config.num_heads', vision.numHeads, 'vision_config.hidden_size', vision.hiddenSize);
  divides('vision_config.patch_size', vision.patchSize, 'vision_config.image_size', vision.imageSize);
  if ((D / H) % 2 !== 0)
    throw new ConfigError(
      `config.json: rotary embedding needs an even head width, hidden_size/num_attention_heads is ${D / H}`,
    );
  const positions = patchGrid(vision) ** 2 + 1;
  const told = eye.count('num_positions', positions);
  if (told !== positions) {
    throw new ConfigError(
      `config.json: vision_config.num_positions is ${told}, but image_size ${vision.imageSize} in patches of ${vision.patchSize} gives ${positions}`,
    );
  }
}

/** Patches along one side of the picture. */
export function patchGrid({ imageSize, patchSize }: VisionConfig): number {
  return imageSize / patchSize;
}

/** N: tokens of one picture, without boi and eoi. */
export function imageTokens(vision: VisionConfig): number {
  const grid = patchGrid(vision);
  return (vision.convDownsample ? Math.floor(grid / 2) : grid) ** 2;
}

/** The config.json of a config: what the released files hold, and the fields that they leave open. */
export function configToJson(config: CogVLMConfig, dtype: string): Record<string, unknown> {
  const { vision } = config;
  return {
    architectures: ['CogVLMForCausalLM'],
    model_type: 'cogvlm',
    torch_dtype: dtype,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_multi_query_heads: config.numKeyValueHeads,
    hidden_act: 'silu',
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    vision_expert_qkv_bias: config.visionExpertQkvBias,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId.length === 1 ? config.eosTokenId[0] : config.eosTokenId,
    pad_token_id: config.padTokenId,
    template_version: config.templateVersion,
    vision_config: {
      in_channels: vision.inChannels,
      hidden_size: vision.hiddenSize,
      patch_size: vision.patchSize,
      num_positions: patchGrid(vision) ** 2 + 1,
      num_heads: vision.numHeads,
      intermediate_size: vision.intermediateSize,
      num_hidden_layers: vision.numHiddenLayers,
      hidden_act: 'gelu',
      layer_norm_eps: vision.layerNormEps,
      dropout_prob: 0,
      image_size: vision.imageSize,
      conv_downsample: vision.convDownsample,
    },
  };
}

/** One JSON object, field by field, with errors that name the field. */
class Fields {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(json: unknown, path: string) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new ConfigError(`config.json: ${path === '' ? 'the file' : path.slice(0, -1)} is not an object`);
    }
    this.#json = json as Record<string, unknown>;
    this.#path = path;
  }

  get(name: string): unknown {
    return this.#json[name];
  }

  #read<T>(name: string, expected: string, accept: (value: unknown) => value is T, fallback?: T): T {
    const value = this.#json[name] ?? fallback;
    if (accept(value)) return value;
    const got = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
    throw new ConfigError(`config.json: ${this.#path}${name} ${got}, expected ${expected}`);
  }

  count(name: string, fallback?: number): number {
    const accept = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) > 0;
    return this.#read(name, 'a positive integer', accept, fallback);
  }

  id(name: string, fallback?: number): number {
    const accept = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
    return this.#read(name, 'a token id', accept, fallback);
  }

  ids(name: string, fallback: number): readonly number[] {
    const value = this.#json[name];
    if (!Array.isArray(value)) return [this.id(name, fallback)];
    const items = new Fields({ ...value }, `${this.#path}${name}.`);
    return value.map((_, i) => items.id(String(i)));
  }

  positive(name: string, fallback: number): number {
    const accept = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && v > 0;
    return this.#read(name, 'a positive number', accept, fallback);
  }

  flag(name: string, fallback: boolean): boolean {
    return this.#read(name, 'true or false', (v: unknown): v is boolean => typeof v === 'boolean', fallback);
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const accept = (v: unknown): v is T => values.some((value) => value === v);
    return this.#read(name, values.map((v) => `"${v}"`).join(' or '), accept, fallback);
  }

  expect(name: string, value: string): void {
    this.oneOf(name, [value], value);
  }
}
