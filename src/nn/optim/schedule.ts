/**
 * Learning-rate schedules: pure functions of the number of steps taken before, from 0. A constant rate is `() => 1e-4`, a line
 * down to zero `(step) => 1e-4 * (1 - step / steps)`.
 */
export type Schedule = (step: number) => number;

export interface WarmupCosine {
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** Where the cosine ends, as a part of the peak; default 0. */
  readonly finalRatio?: number;
}

/**
 * Linear from 0 to the peak over the warm-up, then half a cosine down to `finalRatio`·peak at `totalSteps`, where it
 * stays. Step 0 is the first update and already has peak/warmupSteps.
 */
export function warmupCosine({ peak, warmupSteps, totalSteps, finalRatio = 0 }: WarmupCosine): Schedule {
  return (step) => {
    if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return peak * (finalRatio + (1 - finalRatio) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  };
}
