/**
 * The training loop: loss, gradient, clip, step. What a step sees depends on the seed and the step alone, so a run that is
 * stopped and resumed does what an uninterrupted one would have done.
 */
import { clipGradNorm, type Optimizer, type Schedule } from '../nn/index.ts';
import { type Rng, scope, type Tensor } from '../tensor/index.ts';
import { streamRng } from './streamRng.ts';

/** How training goes on: data, optimiser, schedule, and for how long. */
export interface TrainConfig {
  /** Steps of the whole run, with those from before it was resumed. */
  readonly steps: number;
  /** Learning rate of the step after `step` others. */
  readonly lr: Schedule;
  /** Largest global gradient norm; default none. */
  readonly clipNorm?: number;
  readonly seed: number;
}

/** What is told of one step of training. */
export interface StepReport {
  /** Steps done, from 1. */
  readonly step: number;
  readonly loss: number;
  /** Gradient norm before clipping. */
  readonly gradNorm: number;
  readonly lr: number;
}

/** The loss of the step after `step` others, from that step's random numbers. */
export type LossAt = (rng: Rng, step: number) => Tensor | Promise<Tensor>;

/**
 * Trains from `optimizer.stepCount` to `config.steps`.
 * @param onStep called after each step; answering false stops the run there
 * @throws RangeError where the learning rate is negative or no number
 * @throws Error where the loss or the gradient norm is not finite; weights and optimiser are as before that step
 */
export async function train(
  optimizer: Optimizer,
  config: TrainConfig,
  lossAt: LossAt,
  onStep: (report: StepReport) => boolean | Promise<boolean>,
): Promise<void> {
  while (optimizer.stepCount < config.steps) {
    const report = await scope(() => trainStep(optimizer, config, lossAt));
    await eventLoopTurn();
    if (!(await onStep(report))) return;
  }
}

async function trainStep(
  optimizer: Optimizer,
  { lr: schedule, clipNorm = Number.POSITIVE_INFINITY, seed }: TrainConfig,
  lossAt: LossAt,
): Promise<StepReport> {
  const at = optimizer.stepCount;
  const where = `at step ${at + 1} (seed ${seed})`;
  const lr = schedule(at);
  if (!(lr >= 0 && lr < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`train: the learning rate is ${lr} ${where}, expected a number from 0 on`);
  }
  try {
    const result = await lossAt(streamRng(seed, 'step', at), at);
    result.backward();
    const trained = optimizer.groups.flatMap(({ parameters }) => [...parameters.values()]);
    const gradNorm = await clipGradNorm(trained, clipNorm);
    const [loss] = await result.read();
    const unchanged = `${where}; the weights are as before it`;
    if (!Number.isFinite(loss)) throw new Error(`train: the loss became ${loss} ${unchanged}`);
    if (!Number.isFinite(gradNorm)) {
      throw new Error(`train: the gradient norm became ${gradNorm}, with the loss ${loss}, ${unchanged}`);
    }
    optimizer.step(lr);
    return { step: at + 1, loss, gradNorm, lr };
  } finally {
    optimizer.zeroGrad(); // gradients of a step that failed are no part of the next
  }
}

/** Steps never wait for anything: without this no signal (Ctrl-C), timer or finalizer would run before the last one. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
