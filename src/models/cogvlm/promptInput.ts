/**
 * Token ids and types of a prompt, as the released code lays them out:
 *
 *   place   0    1    2 … N+1       N+2  N+3 …
 *   holds   bos  boi  image tokens  eoi  text
 *   id      bos  pad  pad … pad     pad  text ids
 *   type    0    1    1 … 1         1    0
 *
 * Without a picture: bos and text. Batches are padded on the left, with pad ids of type 0 that nothing sees.
 */
import type { ModelInput } from './cogvlm.ts';
import { type CogVLMConfig, imageTokens } from './config.ts';
import { LANGUAGE_TYPE, VISION_TYPE } from './masks.ts';

/** What a model is asked to go on from. */
export type Prompt = Pick<ModelInput, 'ids' | 'types' | 'attentionMask' | 'pixels'>;

/** One row: ids and types of the same length. */
export interface PromptRow {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}

type Layout = Pick<CogVLMConfig, 'vocabSize' | 'bosTokenId' | 'padTokenId' | 'vision'>;

/**
 * @param text ids of the prompt's text, without bos
 * @param hasImage whether the places of one picture stand in front of the text
 * @throws RangeError naming the first id that is not in the model's vocabulary
 */
export function promptRow(config: Layout, text: readonly number[], hasImage: boolean): PromptRow {
  const bad = text.findIndex((id) => !Number.isSafeInteger(id) || id < 0 || id >= config.vocabSize);
  if (bad >= 0) {
    throw new RangeError(
      `promptRow: text[${bad}] is ${text[bad]}, but the model's vocabulary ends at ${config.vocabSize - 1}; is the tokenizer another model's?`,
    );
  }
  const places = hasImage ? imageTokens(config.vision) + 2 : 0;
  return {
    ids: [config.bosTokenId, ...Array(places).fill(config.padTokenId), ...text],
    types: [LANGUAGE_TYPE, ...Array(places).fill(VISION_TYPE), ...text.map(() => LANGUAGE_TYPE)],
  };
}

/** Rows of any lengths as one left-padded batch; a mask comes with it only where something is padded. */
export function promptBatch(
  config: Pick<CogVLMConfig, 'padTokenId'>,
  rows: readonly PromptRow[],
): Omit<Prompt, 'pixels'> & Required<Pick<Prompt, 'types'>> {
  if (rows.length === 0) throw new RangeError('promptBatch: rows is empty, expected at least one prompt');
  const length = Math.max(...rows.map(({ ids }) => ids.length));
  const padded = (row: readonly number[], value: number): number[] => [
    ...Array(length - row.length).fill(value),
    ...row,
  ];
  const ids = rows.map((row) => padded(row.ids, config.padTokenId));
  const types = rows.map((row) => padded(row.types, LANGUAGE_TYPE));
  if (rows.every((row) => row.ids.length === length)) return { ids, types };
  const attentionMask = rows.map((row) =>
    padded(
      row.ids.map(() => 1),
      0,
    ),
  );
  return { ids, types, attentionMask };
}
