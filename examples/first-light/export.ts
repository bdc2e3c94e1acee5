/**
 * Writes models/first-light: the checkpoint in the released layout (bf16), its tokenizer, the training record, and a dozen
 * held-out pictures. What is reported is measured on the weights as written.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CogVLM, checkpointKeys, getBackend, Rng } from 'cogvlm-ts';
import { encodePng, type Tokenizer } from 'cogvlm-ts/data';
import { loadPretrained, replaceFile, type StageRecord, savePretrained } from 'cogvlm-ts/node';
import { examine, percent } from './exam.ts';
import type { Lesson } from './lessons.ts';
import { alignmentStage, hintStage, initialization, languageStage, visionStage } from './recipe.ts';
import { styles } from './styles.ts';

export const modelFolder = fileURLToPath(new URL('../../models/first-light/', import.meta.url));

export interface TimedStage extends StageRecord {
  /** Null where the stage had been finished before. */
  readonly secondsPerStep: number | null;
}

const PICTURES = 12;
const PICTURE_SEED = 7;

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export async function exportModel(
  model: CogVLM,
  tokenizer: Tokenizer,
  heldOut: readonly Lesson[],
  stages: readonly TimedStage[],
): Promise<void> {
  await savePretrained(modelFolder, { model, tokenizer }, { dtype: 'BF16' });
  await writePictures(heldOut);

  const { model: written } = await loadPretrained(modelFolder);
  const exam = await examine(written, heldOut);
  const keys = checkpointKeys(model.config);
  const parameters: Record<string, number> = {};
  for (const [name, tensor] of model.namedParameters()) {
    const part = keys.get(name).part;
    parameters[part] = (parameters[part] ?? 0) + tensor.size;
  }
  await replaceFile(
    join(modelFolder, 'training.json'),
    json({
      parameters,
      stages,
      recipe: { initialization, languageStage, alignmentStage, hintStage, visionStage },
      backend: getBackend().describe(),
      heldOut: exam,
    }),
  );
  console.log(
    `held-out captions ${percent(exam.caption)}, with shuffled pictures ${percent(exam.shuffledCaption)}`,
  );
  console.log(`kind ${percent(exam.kind)}, color ${percent(exam.color)}; written to ${modelFolder}`);
}

/** Held-out pictures for the demo: drawn by lot, style by style in turn, not chosen by how well they do. */
async function writePictures(heldOut: readonly Lesson[]): Promise<void> {
  const folder = join(modelFolder, 'pictures');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const byStyle = new Map<string, Lesson[]>();
  for (const lesson of new Rng(PICTURE_SEED).shuffle([...heldOut])) {
    const { style } = lesson.sample;
    byStyle.set(style, [...(byStyle.get(style) ?? []), lesson]);
  }
  const turns = heldOut.map((_, turn) => [...byStyle.values()].flatMap((lessons) => lessons[turn] ?? []));
  const drawn = turns.flat().slice(0, PICTURES);
  const manifest = [];
  for (const { sample } of drawn) {
    const { caption, kind, style, rgb: data, size } = sample;
    const file = `${caption.replaceAll(' ', '-')}.${style}.png`;
    await replaceFile(join(folder, file), encodePng({ width: size, height: size, data }));
    const art = styles.find(({ name }) => name === style);
    manifest.push({
      file,
      caption,
      kind,
      style,
      license: art?.license,
      author: art?.author,
      source: art?.link,
    });
  }
  await replaceFile(join(folder, 'manifest.json'), json(manifest));
}
