/** A model small enough to train in a spec. */
import { parseConfig } from '../../src/models/cogvlm/index.ts';

export const trainingConfig = parseConfig({
  vocab_size: 20,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  vision_config: {
    image_size: 8,
    patch_size: 4,
    hidden_size: 12,
    intermediate_size: 16,
    num_hidden_layers: 1,
    num_heads: 2,
  },
});
