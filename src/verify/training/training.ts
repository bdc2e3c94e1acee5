/**
 * Training beside PyTorch: AdamW with groups, clipping and schedule from given gradients, and whole training curves of small
 * models, step by step.
 */
import type { GoldenFolder } from '../golden.ts';
import type { Row } from '../judge.ts';
import type { VerifyDType } from '../model.ts';
import { verifyCurve } from './curve.ts';
import { readTrainingManifest } from './manifest.ts';
import { verifyOptimizer } from './optimizer.ts';

export async function verifyTraining(
  folder: GoldenFolder,
  dtype: VerifyDType,
  onRow: (row: Row) => void,
): Promise<void> {
  const { optimizer, curves } = await readTrainingManifest(folder);
  for (const golden of optimizer) await verifyOptimizer(folder, golden, dtype, onRow);
  for (const golden of curves) await verifyCurve(folder, golden, dtype, onRow);
}
