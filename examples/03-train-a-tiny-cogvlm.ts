/**
 * A CogVLM from nothing that learns to tell bright pictures from dark ones. `train` is this loop with its random numbers by
 * step, `runStages` also saves it; see first-light/ for a run of four stages.
 *
 *   npx tsx examples/03-train-a-tiny-cogvlm.ts
 */
import {
  AdamW,
  answerLoss,
  CogVLM,
  clipGradNorm,
  type Example,
  parameterGroups,
  parseConfig,
  Rng,
  setBackend,
  warmupCosine,
} from 'cogvlm-ts';
import { answers } from 'cogvlm-ts/train';

await setBackend('wasm');
const rng = new Rng(1);
const STEPS = 40;

const config = parseConfig({
  vocab_size: 16,
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
const model = new CogVLM(config, { rng });

/** A noisy picture, and the tokens that name it. */
const example = (bright: boolean): Example => ({
  prompt: [],
  answer: bright ? [5, 6] : [7],
  pixels: Float32Array.from({ length: 3 * 8 * 8 }, () => (bright ? 1 : -1) + 0.1 * rng.normal()),
});

const everything = { language: 1, experts: 1, adapter: 1, vit: 0.1 };
const groups = parameterGroups(model, { lrScale: everything, weightDecay: 0.05 });
const optimizer = new AdamW(groups);
const lr = warmupCosine({ peak: 1e-2, warmupSteps: 5, totalSteps: STEPS });

for (let step = 0; step < STEPS; step++) {
  const loss = answerLoss(model, [true, false, true, false].map(example));
  loss.backward();
  await clipGradNorm(model.namedParameters().values(), 1);
  optimizer.step(lr(step));
  optimizer.zeroGrad();
  if (step % 10 === 9) console.log(`step ${step + 1}: loss ${loss.item().toFixed(3)}`);
}
console.log('bright, dark:', await answers(model, [true, false].map(example), 3));
