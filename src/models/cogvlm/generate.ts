/**
 * Greedy generation with a KV cache: one forward pass over the prompt, then one token at a time.
 *
 * A generated token is text: language expert, next position. Positions count on from the prompt's last one, which is
 * not the cache index, since all tokens of a picture share a position.
 */

import { noGrad, scope, type Tensor } from '../../tensor/index.ts';
import type { CogVLM, ModelInput } from './cogvlm.ts';
import { KVCache } from './kvCache.ts';
import { positionIds } from './masks.ts';
import type { Prompt } from './promptInput.ts';

/** How tokens are generated. */
export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** A row ends with one of these; default the config's eos. Empty: nothing stops a row. */
  readonly stopTokens?: readonly number[];
}

export interface GenerateStep {
  /** The next token of every row; the pad id where the row has ended. */
  readonly tokens: readonly number[];
  /** Logits [B, V] it was chosen from, row-major. Present only if `withLogits`. */
  readonly logits?: Float32Array | Float64Array;
}

/**
 * Yields one step at a time until every row has met a stop token or `maxNewTokens` are out.
 * @param withLogits also read back the logits of each step
 */
export async function* generate(
  model: CogVLM,
  prompt: Prompt,
  { maxNewTokens, stopTokens = model.config.eosTokenId }: GenerateOptions,
  withLogits = false,
): AsyncGenerator<GenerateStep> {
  const { ids, types = ids.map((row) => row.map(() => 0)), attentionMask } = prompt;
  const cache = new KVCache(model.config.numHiddenLayers, ids[0].length + maxNewTokens);
  const ended = ids.map(() => false);
  let positions = types.map((row, b) => positionIds(row, attentionMask?.[b]));
  let mask = attentionMask;
  let input: ModelInput = { ...prompt, positions, cache };
  try {
    for (let n = 0; n < maxNewTokens; n++) {
      const { best, logits } = await scope(() => nextTokens(model, input, withLogits));
      const tokens = best.map((token, b) => (ended[b] ? model.config.padTokenId : token));
      for (const [b, token] of tokens.entries()) ended[b] ||= stopTokens.includes(token);
      yield logits === undefined ? { tokens } : { tokens, logits };
      if (ended.every(Boolean)) return;
      positions = positions.map((row) => [row[row.length - 1] + 1]);
      mask = mask?.map((row) => [...row, 1]);
      input = { ids: tokens.map((token) => [token]), positions, attentionMask: mask, cache };
    }
  } finally {
    cache.dispose();
  }
}

async function nextTokens(
  model: CogVLM,
  input: ModelInput,
  withLogits: boolean,
): Promise<{ best: number[]; logits: Float32Array | Float64Array | undefined }> {
  const last: Tensor = noGrad(() => model.call(input, true));
  const best = Array.from(await last.argmax(2).read());
  const logits = withLogits ? ((await last.read()) as Float32Array | Float64Array) : undefined;
  return { best, logits };
}
