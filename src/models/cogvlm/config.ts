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
import { ConfigError, ConfigFields, JSON_NAMES, OWN_NAMES } from './configFields.ts';

/** Sizes of the image encoder. */
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

/** Sizes and token ids of a model; all that its code knows of how large it is. */
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

/** What is in a checkpoint, where the config does not say: its tensor names. */
export interface CheckpointNames {
  has(name: string): boolean;
}

const NO_NAMES: CheckpointNames = { has: () => false };

/** What may be left out: every field, those of the vision model one by one. */
export type PartialConfig = Partial<Omit<CogVLMConfig, 'vision'>> & {
  readonly vision?: Partial<VisionConfig>;
};

/** CogVLM-17B at 490 pixels. */
const RELEASED: CogVLMConfig = {
  vocabSize: 32000,
  hiddenSize: 4096,
  intermediateSize: 11008,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 32,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  visionExpertQkvBias: false,
  bosTokenId: 1,
  eosTokenId: [2],
  padTokenId: 0,
  templateVersion: 'chat',
  vision: {
    imageSize: 490,
    patchSize: 14,
    inChannels: 3,
    hiddenSize: 1792,
    intermediateSize: 15360,
    numHiddenLayers: 63,
    numHeads: 16,
    layerNormEps: 1e-6,
    convDownsample: false,
  },
};

const FIELDS = Object.keys(RELEASED);
const VISION_FIELDS = Object.keys(RELEASED.vision);

/**
 * A config from the fields that differ from the released CogVLM-17B's: `defineConfig({ hiddenSize: 64 })`. Heads of keys
 * and values are as many as the heads, and the rotary base is that of the model that has the convolution or has none,
 * where they are not told.
 * @throws ConfigError naming the field: unknown, of a wrong kind, or of a size that does not fit the others
 */
export function defineConfig(fields: PartialConfig = {}): CogVLMConfig {
  const top = new ConfigFields({ ...fields, vision: fields.vision ?? {} }, OWN_NAMES);
  top.requireKnown(FIELDS);
  top.object('vision').requireKnown(VISION_FIELDS);
  return readConfig(top, RELEASED);
}

/** A complete config. @throws ConfigError naming a field that is missing, of a wrong kind, or does not fit the others */
export function checkConfig(config: CogVLMConfig): void {
  const top = new ConfigFields(config, OWN_NAMES);
  top.requireAll(FIELDS);
  top.object('vision').requireAll(VISION_FIELDS);
  readConfig(top, RELEASED);
}

/** What the released code does where config.json does not say. */
const JSON_DEFAULTS: PartialConfig = {
  rmsNormEps: RELEASED.rmsNormEps,
  bosTokenId: RELEASED.bosTokenId,
  eosTokenId: RELEASED.eosTokenId,
  padTokenId: RELEASED.padTokenId,
  templateVersion: RELEASED.templateVersion,
};

/**
 * A config.json as released, checked. @throws ConfigError naming the field
 * @param json the parsed config.json
 * @param names tensor names of the checkpoint it came with, if any
 * @throws ConfigError naming the field, what it holds and what is expected
 */
export function parseConfig(json: unknown, names: CheckpointNames = NO_NAMES): CogVLMConfig {
  const top = new ConfigFields(json, JSON_NAMES);
  const config = readConfig(top, {
    ...JSON_DEFAULTS,
    visionExpertQkvBias: names.has('model.layers.0.self_attn.vision_expert_query_key_value.bias'),
    vision: {
      inChannels: RELEASED.vision.inChannels,
      layerNormEps: RELEASED.vision.layerNormEps,
      convDownsample: names.has('model.vision.conv.weight'),
    },
  });
  const { vision } = config;
  const eye = top.object('vision');
  const positions = patchGrid(vision) ** 2 + 1;
  const told = eye.count('numPositions', positions);
  if (told !== positions) {
    throw new ConfigError(
      `config.json: vision_config.num_positions is ${told}, but image_size ${vision.imageSize} in patches of ${vision.patchSize} gives ${positions}`,
    );
  }
  top.expect('hiddenAct', 'silu');
  eye.expect('hiddenAct', 'gelu');
  return config;
}

/** Every field, by the names that it has where it came from; what is absent is as `fallback` has it. */
function readConfig(top: ConfigFields, fallback: PartialConfig): CogVLMConfig {
  const eye = top.object('vision');
  const f = fallback;
  const v = fallback.vision ?? {};
  const numAttentionHeads = top.count('numAttentionHeads', f.numAttentionHeads);
  const convDownsample = eye.flag('convDownsample', v.convDownsample);
  const config: CogVLMConfig = {
    vocabSize: top.count('vocabSize', f.vocabSize),
    hiddenSize: top.count('hiddenSize', f.hiddenSize),
    intermediateSize: top.count('intermediateSize', f.intermediateSize),
    numHiddenLayers: top.count('numHiddenLayers', f.numHiddenLayers),
    numAttentionHeads,
    numKeyValueHeads: top.count('numKeyValueHeads', numAttentionHeads),
    rmsNormEps: top.positive('rmsNormEps', f.rmsNormEps),
    ropeTheta: top.positive('ropeTheta', convDownsample ? 500000 : 10000),
    visionExpertQkvBias: top.flag('visionExpertQkvBias', f.visionExpertQkvBias),
    bosTokenId: top.id('bosTokenId', f.bosTokenId),
    eosTokenId: top.ids('eosTokenId', f.eosTokenId),
    padTokenId: top.id('padTokenId', f.padTokenId),
    templateVersion: top.oneOf('templateVersion', ['base', 'chat', 'vqa'], f.templateVersion),
    vision: {
      imageSize: eye.count('imageSize', v.imageSize),
      patchSize: eye.count('patchSize', v.patchSize),
      inChannels: eye.count('inChannels', v.inChannels),
      hiddenSize: eye.count('hiddenSize', v.hiddenSize),
      intermediateSize: eye.count('intermediateSize', v.intermediateSize),
      numHiddenLayers: eye.count('numHiddenLayers', v.numHiddenLayers),
      numHeads: eye.count('numHeads', v.numHeads),
      layerNormEps: eye.positive('layerNormEps', v.layerNormEps),
      convDownsample,
    },
  };
  checkSizes(config, top, eye);
  return config;
}

function checkSizes(config: CogVLMConfig, top: ConfigFields, eye: ConfigFields): void {
  const { hiddenSize: D, numAttentionHeads: H, numKeyValueHeads: kv, vision } = config;
  const divides = (small: string, n: number, large: string, m: number) => {
    if (m % n !== 0) throw new ConfigError(`${top.source}: ${large} ${m} is not a multiple of ${small} ${n}`);
  };
  divides(top.path('numAttentionHeads'), H, top.path('hiddenSize'), D);
  divides(top.path('numKeyValueHeads'), kv, top.path('numAttentionHeads'), H);
  divides(eye.path('numHeads'), vision.numHeads, eye.path('hiddenSize'), vision.hiddenSize);
  divides(eye.path('patchSize'), vision.patchSize, eye.path('imageSize'), vision.imageSize);
  if ((D / H) % 2 !== 0) {
    throw new ConfigError(
      `${top.source}: rotary embedding needs an even head width, ${top.path('hiddenSize')}/${top.path('numAttentionHeads')} is ${D / H}`,
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
