/** The whole model: a step of training, and a step of generation with the cache. */
import {
  AdamW,
  answerLoss,
  CogVLM,
  type CogVLMConfig,
  type Example,
  generate,
  parameterGroups,
  Rng,
  train,
} from '../../src/index.ts';
import { collate } from '../../src/train/index.ts';
import { type BenchCase, disposeModule, drawWeights } from '../case.ts';

const STEP = { unit: 'step', amount: 1 } as const;
const BATCH = 4;
const TOKENS = 16;

const title = ({ hiddenSize, numHiddenLayers }: CogVLMConfig) =>
  `CogVLM D ${hiddenSize} × ${numHiddenLayers}`;

/** Loss, gradients, clipping and AdamW of the stage that trains experts and adapter, by the library's own loop. */
export function trainingStep(config: CogVLMConfig): BenchCase {
  return {
    name: `${title(config)} training step, ${BATCH} pictures`,
    work: STEP,
    prepare() {
      const model = drawWeights(new CogVLM(config));
      const groups = parameterGroups(model, { lrScale: { experts: 1, adapter: 1 }, weightDecay: 0.05 });
      const optimizer = new AdamW(groups);
      const batch = Array.from({ length: BATCH }, (_, i) => example(config, i));
      // Small enough that the loss does not run away in however many steps.
      const lr = () => 1e-6;
      return {
        call: () =>
          train(
            optimizer,
            { steps: Number.MAX_SAFE_INTEGER, lr, clipNorm: 1, seed: 1 },
            () => answerLoss(model, batch),
            () => false,
          ),
        dispose() {
          optimizer.dispose();
          disposeModule(model);
        },
      };
    },
  };
}

/** One token after a prompt with a picture. A prompt serves the sixteen tokens after it, and is no part of what is timed. */
export function generationStep(config: CogVLMConfig): BenchCase {
  return {
    name: `${title(config)} cached generation step`,
    work: STEP,
    prepare() {
      const model = drawWeights(new CogVLM(config));
      const { input } = collate(model, [example(config, 0)]);
      let steps: ReturnType<typeof generate> | undefined;
      let left = 0;
      return {
        async call() {
          const begin = performance.now();
          if (left === 0) {
            await steps?.return(undefined);
            steps = generate(model, input, { maxNewTokens: 1 + TOKENS, stopTokens: [] });
            await steps.next(); // the prompt and the token after it
            left = TOKENS;
          }
          left--;
          const prompted = performance.now();
          await steps?.next();
          const end = performance.now();
          return { overriddenDuration: end - prompted, overriddenIterationCost: end - begin };
        },
        async dispose() {
          await steps?.return(undefined);
          disposeModule(model);
        },
      };
    },
  };
}

/** A picture of noise, eight tokens about it and an answer of four. */
function example({ vocabSize, vision }: CogVLMConfig, seed: number): Example {
  const rng = new Rng(seed);
  const tokens = (length: number) => Array.from({ length }, () => rng.integer(vocabSize));
  const pixels = Float32Array.from({ length: vision.inChannels * vision.imageSize ** 2 }, () => rng.normal());
  return { prompt: tokens(8), answer: tokens(4), pixels };
}
