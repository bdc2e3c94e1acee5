/** Picture features given in place of pixels. */
import { expect, it } from 'vitest';
import type { CogVLM, ModelInput } from '../../src/models/cogvlm/index.ts';
import { noGrad, type Tensor } from '../../src/tensor/index.ts';
import { batchOf, conversation, randomModel, tinyConfig } from '../support/models.ts';

const logitsOf = (model: CogVLM, input: ModelInput) => noGrad(() => model.call(input)).data;

it('are what the vision model makes of the pixels', () => {
  const config = tinyConfig({ downsample: true });
  const model = randomModel(config, 8);
  const { pixels, ...places } = batchOf(config, [conversation(config, [1, 3], 1)]);
  const imageFeatures = noGrad(() => model.model.vision.call(pixels as Tensor));
  expect(logitsOf(model, { ...places, imageFeatures })).toEqual(logitsOf(model, { ...places, pixels }));
  const short = imageFeatures.slice(1, 1);
  expect(() => logitsOf(model, { ...places, imageFeatures: short })).toThrow('places have type 1');
});
