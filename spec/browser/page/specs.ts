/** All browser specs. Importing this runs nothing, in Node neither. */
import { CAPTIONS } from './captions.ts';
import { conformanceSpecs } from './conformance.ts';
import { pictureSpecs } from './pictures.ts';
import type { BrowserSpec, Setting } from './spec.ts';
import { threadSpecs } from './threads.ts';
import { trainingSpecs } from './training.ts';
import { verifySpecs } from './verify.ts';

const specs: readonly BrowserSpec[] = [
  ...pictureSpecs,
  CAPTIONS,
  ...trainingSpecs,
  ...threadSpecs,
  ...conformanceSpecs,
  ...verifySpecs,
];

export const specId = ({ name, where }: BrowserSpec): string => `${name} (${where})`;

export function specsOf(setting: Setting): readonly BrowserSpec[] {
  return specs.filter(({ settings }) => settings.includes(setting));
}

export function specById(id: string): BrowserSpec {
  const spec = specs.find((candidate) => specId(candidate) === id);
  if (spec === undefined) throw new Error(`there is no browser spec ${JSON.stringify(id)}`);
  return spec;
}
