/** What `npm run bench` measures, from single kernels to the whole model. Kernels meet the sizes of CogVLM-17B. */

import goldenConfig from '../spec/goldens/cogvlm/checkpoint/config.json' with { type: 'json' };
import { parseConfig } from '../src/index.ts';
import type { BenchCase } from './case.ts';
import { attention } from './kernels/attention.ts';
import { matmul, matmulTransposed } from './kernels/matmul.ts';
import { gelu, layerNorm, rmsNorm, softmax, swiglu } from './kernels/rows.ts';
import { generationStep, trainingStep } from './models/cogvlm.ts';
import { layerBackward, layerForward } from './models/decoder.ts';
import { expertBackward, expertForward } from './models/expertLayer.ts';
import { gptStep, TINY_GPT } from './models/gpt.ts';

/** 1225 patches and the class token of the 17B model's ViT at 490 px. */
const VIT_TOKENS = 1226;
const VIT = { heads: 16, width: 1792, intermediateSize: 15360 };
const LANGUAGE = { width: 4096, intermediateSize: 11008, heads: 32, headDim: 128 };
const LAYER = { width: 1024, heads: 16, intermediateSize: 2816, tokens: 256 };

export function benchCases(): readonly BenchCase[] {
  const squares = [128, 256, 512, 1024, 2048];
  const golden = parseConfig(goldenConfig);
  return [
    ...squares.map((n) => matmul(n, n, n)),
    ...squares.map((n) => matmulTransposed(n, n, n)),
    matmul(VIT_TOKENS, VIT.width, 3 * VIT.width),
    matmul(1, LANGUAGE.width, LANGUAGE.width),
    matmulTransposed(1, LANGUAGE.width, LANGUAGE.width),
    matmulTransposed(1, LANGUAGE.width, LANGUAGE.intermediateSize),
    softmax([VIT.heads, VIT_TOKENS, VIT_TOKENS], false),
    softmax([8, 512, 512], true),
    layerNorm([VIT_TOKENS, VIT.width]),
    rmsNorm([512, LANGUAGE.width]),
    gelu([VIT_TOKENS, VIT.intermediateSize]),
    swiglu([512, LANGUAGE.intermediateSize]),
    attention([1, LANGUAGE.heads, 512, LANGUAGE.headDim]),
    layerForward(LAYER),
    layerBackward(LAYER),
    expertForward(LAYER),
    expertBackward(LAYER),
    gptStep(TINY_GPT),
    trainingStep(golden),
    generationStep(golden),
  ];
}
