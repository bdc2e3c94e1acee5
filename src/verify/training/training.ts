/**
 * Training beside PyTorch: AdamW with groups, clipping and schedule from given gradients, and whole training curves of small
 * models, step by step.
 */
import type { Findings } from '../finding.ts';
import type { GoldenFolder } from '../golden.ts';
import type { FloatDType } from '../samples.ts';
import { verifyCurve } from './curve.ts';
import { readTrainingManifest } from './manifest.ts';
import { verifyOptimizer } from './optimizer.ts';

export async function* verifyTraining(folder: GoldenFolder, dtype: FloatDType): Findings {
  const { optimizer, curves } = await readTrainingManifest(folder);
  for (const golden of optimizer) yield* verifyOptimizer(folder, golden, dtype);
  for (const golden of curves) yield* verifyCurve(folder, golden, dtype);
}
