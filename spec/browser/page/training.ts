/** A few steps of training in a browser. */
import {
  AdamW,
  answerLoss,
  CogVLM,
  type Example,
  getBackend,
  Rng,
  setBackend,
  train,
  warmupCosine,
} from '../../../src/index.ts';
import { trainingConfig as config } from '../../support/trainingConfig.ts';
import { wasm } from './backends.ts';
import { type BrowserSpec, check } from './spec.ts';

const STEPS = 20;
/** The optimiser's moments are made in the first step; from the second on nothing may be added. */
const SETTLED = 2;

/** Two kinds of pictures, bright and dark, with a name each. */
function example(bright: boolean, rng: Rng): Example {
  const pixels = Float32Array.from({ length: 3 * 8 * 8 }, () => (bright ? 1 : -1) + 0.1 * rng.normal());
  return { prompt: [], answer: bright ? [5, 6] : [7], pixels };
}

async function learns(): Promise<string> {
  await setBackend(await wasm({}));
  const model = new CogVLM(config, { rng: new Rng(1) });
  const optimizer = new AdamW([{ parameters: model.namedParameters() }]);
  const lr = warmupCosine({ peak: 1e-2, warmupSteps: 2, totalSteps: STEPS });
  const recipe = { steps: STEPS, lr, clipNorm: 1, seed: 3 };
  const losses: number[] = [];
  const memory: { bytes: number; buffers: number }[] = [];
  const loss = (rng: Rng) => answerLoss(model, [example(true, rng), example(false, rng)]);
  await train(optimizer, recipe, loss, (report) => {
    losses.push(report.loss);
    memory.push(getBackend().memory());
    return true;
  });
  const [first, last] = [losses[0], losses[STEPS - 1]];
  const settled = memory[SETTLED - 1];
  const grown = memory.slice(SETTLED).find(({ bytes, buffers }) => {
    return bytes > settled.bytes || buffers > settled.buffers;
  });
  const amount = ({ bytes, buffers }: { bytes: number; buffers: number }) =>
    `${bytes} bytes in ${buffers} buffers`;
  check(last < 0.7 * first, `the loss went from ${first} to ${last}, expected less than 0.7 of it`);
  check(grown === undefined, `memory grew from ${amount(settled)} to ${grown && amount(grown)}`);
  return `loss ${first.toFixed(3)} → ${last.toFixed(3)} in ${STEPS} steps; ${amount(settled)} throughout`;
}

export const trainingSpecs: readonly BrowserSpec[] = [
  {
    name: 'training: 20 steps, loss and memory',
    where: 'page',
    settings: ['isolated', 'minified'],
    run: learns,
  },
  {
    name: 'training: 20 steps in a worker',
    where: 'worker',
    settings: ['isolated', 'minified'],
    run: learns,
  },
];
