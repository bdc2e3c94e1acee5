/** What must always hold (Node only: a run is saved to disk). */
import { backends } from './backends.ts';
import { batches } from './batches.ts';
import { checkpoints } from './checkpoints.ts';
import { generation } from './generation.ts';
import { gradients } from './gradients.ts';
import { languageModel } from './languageModel.ts';
import type { Property } from './property.ts';
import { time } from './time.ts';
import { training } from './training.ts';

export { applies, type Property, type Setting } from './property.ts';
export { type Effort, settings } from './settings.ts';

export const PROPERTIES: readonly Property[] = [
  ...generation,
  ...batches,
  ...time,
  ...languageModel,
  ...backends,
  ...checkpoints,
  ...training,
  ...gradients,
];
