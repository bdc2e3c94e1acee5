/**
 * The training loop: loss, gradient, clip, step. What a step sees depends on the seed and the step alone, so a run that is
 * stopped and resumed does what an uninterrupted one would have done.
 */
import { type AdamW, clipGradNorm, type WarmupCosine, warmupCosine } from '../nn/index.ts';
import { Rng, scope, type Tensor } from '../tensor/index.ts';

export interface TrainConfig {
  readonly schedule: WarmupCosine;
  /** Largest global gradient norm. */
  readonly clipNorm: number;
  readonly seed: number;
}

export interface StepReport {
  /** Steps done, from 1. */
  readonly step: number;
  readonly loss: number;
  /** Gradient norm before clipping. */
  readonly gradNorm: number;
  readonly lr: number;
}

/** The random numbers of one step: a generator of its own, from the run's seed. */
export function stepRng(seed: number, step: number): Rng {
  return new Rng(seed * 2 ** 26 + step);
}

/**
 * Trains from `optimizer.stepCount` to `schedule.totalSteps`.
 * @param lossAt the loss of one step, from that step's random numbers
 * @param onStep called after each step; answering false stops the run there
 * @throws Error where the loss or the gradient norm is not finite; weights and optimiser are as before that step
 */
export async function train(
  optimizer: AdamW,
  config: TrainConfig,
  lossAt: (rng: Rng, step: number) => Tensor,
  onStep: (report: StepReport) => boolean | Promise<boolean>,
): Promise<void> {
  const trained = optimizer.groups.flatMap(({ parameters }) => [...parameters.values()]);
  while (optimizer.stepCount < config.schedule.totalSteps) {
    const at = optimizer.stepCount;
    const lr = warmupCosine(at, config.schedule);
    const { loss, gradNorm } = await scope(async () => {
      try {
        const loss = lossAt(stepRng(config.seed, at), at);
        loss.backward();
        const gradNorm = await clipGradNorm(trained, config.clipNorm);
        const [value] = await loss.read();
        const where = `at step ${at + 1} (seed ${config.seed}); the weights are as before it`;
        if (!Number.isFinite(value)) throw new Error(`train: the loss became ${value} ${where}`);
        if (!Number.isFinite(gradNorm)) {
          throw new Error(`train: the gradient norm became ${gradNorm}, with the loss ${value}, ${where}`);
        }
        optimizer.step(lr);
        return { loss: value, gradNorm };
      } finally {
        optimizer.zeroGrad(); // gradients of a step that failed are no part of the next
      }
    });
    await eventLoopTurn();
    if (!(await onStep({ step: at + 1, loss, gradNorm, lr }))) return;
  }
}

/** Steps never wait for anything: without this no signal (Ctrl-C), timer or finalizer would run before the last one. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
