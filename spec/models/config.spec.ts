/** config.json: the released fields, what tells CogVLM from CogVLM2, what errors say, and counts of the real models. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CogVLM,
  type CogVLMConfig,
  ConfigError,
  checkpointKeys,
  configToJson,
  defineConfig,
  imageTokens,
  type ModelPart,
  parseConfig,
} from '../../src/models/cogvlm/index.ts';
import { tinyConfig, tinyJson } from '../support/models.ts';

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../goldens/${name}/checkpoint/config.json`), 'utf8'));

/** config.json of the released CogVLM at a picture size. */
const released = (imageSize: number) => ({
  architectures: ['CogVLMForCausalLM'],
  vocab_size: 32000,
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  hidden_act: 'silu',
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  template_version: 'chat',
  vision_config: {
    in_channels: 3,
    hidden_size: 1792,
    patch_size: 14,
    num_positions: (imageSize / 14) ** 2 + 1,
    num_heads: 16,
    intermediate_size: 15360,
    num_hidden_layers: 63,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-6,
    dropout_prob: 0,
    image_size: imageSize,
  },
});

/** The released CogVLM2, whose config.json names neither the convolution nor the bias. */
const released2 = {
  ...released(1344),
  vocab_size: 128256,
  intermediate_size: 14336,
  num_multi_query_heads: 8,
  bos_token_id: 128000,
  eos_token_id: [128001, 128009],
  pad_token_id: 128002,
};
const NAMES_OF_2 = new Set([
  'model.vision.conv.weight',
  'model.layers.0.self_attn.vision_expert_query_key_value.bias',
]);

describe('parseConfig', () => {
  it('reads the golden CogVLM', () => {
    const expected: CogVLMConfig = {
      vocabSize: 320,
      hiddenSize: 64,
      intermediateSize: 172,
      numHiddenLayers: 3,
      numAttentionHeads: 4,
      numKeyValueHeads: 4,
      rmsNormEps: 1e-5,
      ropeTheta: 10000,
      visionExpertQkvBias: false,
      bosTokenId: 1,
      eosTokenId: [2],
      padTokenId: 0,
      templateVersion: 'chat',
      vision: {
        imageSize: 56,
        patchSize: 14,
        inChannels: 3,
        hiddenSize: 48,
        intermediateSize: 104,
        numHiddenLayers: 3,
        numHeads: 4,
        layerNormEps: 1e-6,
        convDownsample: false,
      },
    };
    expect(parseConfig(golden('cogvlm'))).toEqual(expected);
  });

  it('tells CogVLM2 by its tensors: convolution, rotary base 500000, a bias', () => {
    const one = parseConfig(golden('cogvlm2'));
    const two = parseConfig(golden('cogvlm2'), NAMES_OF_2);
    expect([one.vision.convDownsample, one.ropeTheta, one.visionExpertQkvBias]).toEqual([
      false,
      10000,
      false,
    ]);
    expect([two.vision.convDownsample, two.ropeTheta, two.visionExpertQkvBias]).toEqual([true, 500000, true]);
    expect([two.numAttentionHeads, two.numKeyValueHeads]).toEqual([8, 2]);
    expect([imageTokens(one.vision), imageTokens(two.vision)]).toEqual([16, 4]);
  });

  it('the picture size alone does not make a CogVLM2', () => {
    expect(parseConfig(released(224)).vision.convDownsample).toBe(false);
  });

  it('believes the config where it says more than the tensors', () => {
    const config = parseConfig({ ...tinyJson(), rope_theta: 77, vision_expert_qkv_bias: false }, NAMES_OF_2);
    expect([config.ropeTheta, config.visionExpertQkvBias, config.vision.convDownsample]).toEqual([
      77,
      false,
      false,
    ]);
  });

  it('fills absent fields with what the released code does without them', () => {
    const { num_multi_query_heads, vision_expert_qkv_bias, rope_theta, ...json } = tinyJson();
    const config = parseConfig(json);
    expect([config.numKeyValueHeads, config.rmsNormEps, config.vision.layerNormEps]).toEqual([2, 1e-5, 1e-6]);
    expect([config.bosTokenId, config.eosTokenId, config.padTokenId]).toEqual([1, [2], 0]);
    expect([config.templateVersion, config.vision.inChannels, config.ropeTheta]).toEqual(['chat', 3, 10000]);
  });

  it('takes one eos or several', () => {
    expect(parseConfig({ ...tinyJson(), eos_token_id: [5, 6] }).eosTokenId).toEqual([5, 6]);
  });
});

describe('what a wrong config says', () => {
  const eye = (fields: object) => ({
    ...tinyJson(),
    vision_config: { ...(tinyJson().vision_config as object), ...fields },
  });

  it.each<[unknown, string]>([
    [null, 'the file is not an object'],
    [[], 'the file is not an object'],
    [{ ...tinyJson(), hidden_size: undefined }, 'hidden_size is missing, expected a positive integer'],
    [{ ...tinyJson(), hidden_size: '8' }, 'hidden_size is "8", expected a positive integer'],
    [{ ...tinyJson(), vocab_size: 0 }, 'vocab_size is 0, expected a positive integer'],
    [{ ...tinyJson(), num_hidden_layers: 1.5 }, 'num_hidden_layers is 1.5, expected a positive integer'],
    [{ ...tinyJson(), rms_norm_eps: -1 }, 'rms_norm_eps is -1, expected a positive number'],
    [{ ...tinyJson(), hidden_act: 'relu' }, 'hidden_act is "relu", expected "silu"'],
    [
      { ...tinyJson(), template_version: 'chatty' },
      'template_version is "chatty", expected "base" or "chat" or "vqa"',
    ],
    [{ ...tinyJson(), pad_token_id: -1 }, 'pad_token_id is -1, expected a token id'],
    [{ ...tinyJson(), eos_token_id: [2, 'x'] }, 'eos_token_id.1 is "x", expected a token id'],
    [{ ...tinyJson(), vision_expert_qkv_bias: 1 }, 'vision_expert_qkv_bias is 1, expected true or false'],
    [{ ...tinyJson(), vision_config: undefined }, 'vision_config is not an object'],
    [eye({ image_size: 'big' }), 'vision_config.image_size is "big", expected a positive integer'],
    [eye({ hidden_act: 'silu' }), 'vision_config.hidden_act is "silu", expected "gelu"'],
    [eye({ patch_size: 3 }), 'vision_config.image_size 4 is not a multiple of vision_config.patch_size 3'],
    [eye({ num_heads: 4 }), 'vision_config.hidden_size 6 is not a multiple of vision_config.num_heads 4'],
    [eye({ num_positions: 9 }), 'vision_config.num_positions is 9, but image_size 4 in patches of 2 gives 5'],
    [{ ...tinyJson(), num_attention_heads: 3 }, 'hidden_size 8 is not a multiple of num_attention_heads 3'],
    [
      { ...tinyJson(), num_multi_query_heads: 3 },
      'num_attention_heads 2 is not a multiple of num_multi_query_heads 3',
    ],
    [
      { ...tinyJson(), num_attention_heads: 8, num_multi_query_heads: 8 },
      'rotary embedding needs an even head width, hidden_size/num_attention_heads is 1',
    ],
  ])('%#: names the field, what it holds and what is expected', (json, says) => {
    expect(() => parseConfig(json)).toThrow(new ConfigError(`config.json: ${says}`));
  });
});

describe('defineConfig', () => {
  it('is the released CogVLM-17B where nothing is told', () => {
    expect(defineConfig()).toEqual(parseConfig(released(490)));
    expect(defineConfig({ vision: { imageSize: 224 } })).toEqual(parseConfig(released(224)));
  });

  it('follows the fields that are told', () => {
    const config = defineConfig({ hiddenSize: 64, numAttentionHeads: 4, vision: { convDownsample: true } });
    expect([config.hiddenSize, config.numKeyValueHeads, config.ropeTheta]).toEqual([64, 4, 500000]);
    expect([config.vocabSize, config.vision.hiddenSize, config.vision.convDownsample]).toEqual([
      32000,
      1792,
      true,
    ]);
  });

  it.each<[object, string]>([
    [{ hidenSize: 64 }, 'hidenSize is not a field; did you mean hiddenSize?'],
    [{ vision: { imagesize: 64 } }, 'vision.imagesize is not a field; did you mean imageSize?'],
    [{ colour: 1 }, 'colour is not a field; there are vocabSize, hiddenSize,'],
    [{ hiddenSize: 64, numAttentionHeads: 3 }, 'hiddenSize 64 is not a multiple of numAttentionHeads 3'],
    [{ vision: { imageSize: 50 } }, 'vision.imageSize 50 is not a multiple of vision.patchSize 14'],
    [{ hiddenSize: 0.5 }, 'hiddenSize is 0.5, expected a positive integer'],
    [{ rmsNormEps: Number.NaN }, 'rmsNormEps is NaN, expected a positive number'],
    [{ vision: 3 }, 'vision is not an object'],
  ])('%j: names the field as the caller named it', (fields, says) => {
    expect(() => defineConfig(fields)).toThrow(ConfigError);
    expect(() => defineConfig(fields)).toThrow(`CogVLM config: ${says}`);
  });
});

describe('new CogVLM', () => {
  const config = tinyConfig();

  it.each<[Partial<CogVLMConfig>, string]>([
    [{ numAttentionHeads: 3 }, 'hiddenSize 8 is not a multiple of numAttentionHeads 3'],
    [{ numKeyValueHeads: 3 }, 'numAttentionHeads 2 is not a multiple of numKeyValueHeads 3'],
    [{ numAttentionHeads: 8, numKeyValueHeads: 8 }, 'even head width, hiddenSize/numAttentionHeads is 1'],
    [{ vision: { ...config.vision, patchSize: 3 } }, 'imageSize 4 is not a multiple of vision.patchSize 3'],
    [{ vision: { ...config.vision, numHeads: 4 } }, 'hiddenSize 6 is not a multiple of vision.numHeads 4'],
    [{ vocabSize: -1 }, 'vocabSize is -1, expected a positive integer'],
  ])('%#: refuses sizes that do not fit', (fields, says) => {
    expect(() => new CogVLM({ ...config, ...fields })).toThrow(ConfigError);
    expect(() => new CogVLM({ ...config, ...fields })).toThrow(says);
  });

  it('refuses a config with a field missing', () => {
    const { rmsNormEps, ...rest } = config;
    expect(() => new CogVLM(rest as CogVLMConfig)).toThrow('CogVLM config: rmsNormEps is missing');
  });
});

describe('configToJson', () => {
  it.each<[string, CogVLMConfig]>([
    ['the golden CogVLM', parseConfig(golden('cogvlm'))],
    ['the golden CogVLM2', parseConfig(golden('cogvlm2'), NAMES_OF_2)],
    ['the released CogVLM2', parseConfig(released2, NAMES_OF_2)],
    ['a small one with every switch on', tinyConfig({ downsample: true, bias: true, group: 2 })],
  ])('is read back to the same config, without a look at the tensors: %s', (_, config) => {
    const json: unknown = JSON.parse(JSON.stringify(configToJson(config, 'float32')));
    expect(parseConfig(json)).toEqual(config);
  });

  it('holds every field of the golden config with its value', () => {
    const { max_position_embeddings, ...fields } = golden('cogvlm') as Record<string, unknown>;
    expect(configToJson(parseConfig(golden('cogvlm')), 'float32')).toMatchObject(fields);
  });
});

describe('parameter counts of the released models', () => {
  function count(config: CogVLMConfig) {
    const parameters: Record<ModelPart, number> = { vit: 0, adapter: 0, experts: 0, language: 0 };
    let [tensors, constants] = [0, 0];
    for (const [, { part, shape, optional }] of checkpointKeys(config)) {
      tensors++;
      if (optional) constants++;
      else parameters[part] += shape.reduce((n, m) => n * m, 1);
    }
    const { vit, adapter, experts, language } = parameters;
    return { total: vit + adapter + experts + language, ...parameters, tensors, constants };
  }

  it('CogVLM-17B at 490', () => {
    expect(count(parseConfig(released(490)))).toEqual({
      total: 17_639_685_376,
      vit: 4_282_641_664,
      adapter: 142_614_528 + 8_192, // with boi and eoi
      experts: 6_476_005_376,
      language: 6_738_415_616,
      tensors: 1187,
      constants: 32, // rotary frequencies: 1155 without
    });
  });

  it('CogVLM-17B at 224', () => {
    const { total, vit } = count(parseConfig(released(224)));
    expect([total, vit]).toEqual([17_637_948_928, 4_280_905_216]);
  });

  it('CogVLM2-19B at 1344', () => {
    const config = parseConfig(released2, NAMES_OF_2);
    const { total, tensors } = count(config);
    expect([total, tensors]).toEqual([19_503_105_280, 1221]);
    expect(imageTokens(config.vision) + 2).toBe(2306);
  });
});
