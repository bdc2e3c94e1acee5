/** What every replayed training run is judged by: its gradient norms and learning rates, step by step. */
import { warmupCosine } from '../../nn/index.ts';
import type { StepReport, TrainConfig } from '../../train/index.ts';
import type { Finding, Numbers } from '../finding.ts';
import { LEARNING_RATE, type Tolerance } from '../tolerances.ts';
import type { GoldenRun } from './manifest.ts';

/** The loop's settings. Replayed losses draw no random numbers. */
export function recipeOf({ schedule, clip_norm }: GoldenRun): TrainConfig {
  return {
    steps: schedule.total_steps,
    lr: warmupCosine({
      peak: schedule.peak,
      warmupSteps: schedule.warmup_steps,
      totalSteps: schedule.total_steps,
      finalRatio: schedule.final_ratio,
    }),
    clipNorm: clip_norm,
    seed: 0,
  };
}

export interface NormLimit {
  readonly tolerance: Tolerance;
  /** What PyTorch's own float32 norms are off by. */
  readonly torchError: number;
}

export function stepFindings(golden: GoldenRun, reports: readonly StepReport[], norm: NormLimit): Finding[] {
  return [
    {
      subject: { name: `${golden.name}/gradient norms`, of: 'clipGradNorm', check: 'training' },
      truth: column(golden.grad_norm),
      computed: column(reports.map(({ gradNorm }) => gradNorm)),
      allowance: norm,
    },
    {
      subject: { name: `${golden.name}/learning rates`, of: 'warmupCosine', check: 'training' },
      truth: column(golden.lr),
      computed: column(reports.map(({ lr }) => lr)),
      allowance: { tolerance: LEARNING_RATE },
    },
  ];
}

/** One number per step. */
export function column(data: readonly number[]): Numbers {
  return { shape: [data.length], data };
}
