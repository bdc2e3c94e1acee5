/** How often a model says exactly the right thing. */
import { type CogVLM, generate, promptBatch, promptRow } from '../models/cogvlm/index.ts';
import { type Example, picturesOf } from './batch.ts';

/**
 * Answers generated greedily, token ids without the end mark, in the order of the examples. Prompts of one length are
 * answered together.
 */
export async function answers(
  model: CogVLM,
  examples: readonly Example[],
  maxNewTokens: number,
  batchSize = 32,
): Promise<number[][]> {
  const results = new Array<number[]>(examples.length);
  const byLength = new Map<number, number[]>();
  for (const [i, { prompt }] of examples.entries()) {
    byLength.set(prompt.length, [...(byLength.get(prompt.length) ?? []), i]);
  }
  for (const indices of byLength.values()) {
    for (let at = 0; at < indices.length; at += batchSize) {
      const chunk = indices.slice(at, at + batchSize);
      const said = await answerBatch(
        model,
        chunk.map((i) => examples[i]),
        maxNewTokens,
      );
      for (const [j, i] of chunk.entries()) results[i] = said[j];
    }
  }
  return results;
}

async function answerBatch(
  model: CogVLM,
  examples: readonly Example[],
  maxNewTokens: number,
): Promise<number[][]> {
  const pixels = picturesOf(model, examples);
  const rows = examples.map((example) => promptRow(model.config, example.prompt, pixels !== undefined));
  const prompt = { ...promptBatch(model.config, rows), pixels };
  const said = examples.map((): number[] => []);
  const ended = examples.map(() => false);
  for await (const { tokens } of generate(model, prompt, { maxNewTokens })) {
    for (const [b, token] of tokens.entries()) {
      ended[b] ||= model.config.eosTokenId.includes(token);
      if (!ended[b]) said[b].push(token);
    }
  }
  pixels?.dispose();
  return said;
}

/** Which answers are the expected ones, token for token. */
export function exactMatches(
  said: readonly (readonly number[])[],
  examples: readonly Pick<Example, 'answer'>[],
): boolean[] {
  return said.map((tokens, i) => String(tokens) === String(examples[i].answer));
}

/** Part of the answers that are the expected ones. */
export function exactMatch(
  said: readonly (readonly number[])[],
  examples: readonly Pick<Example, 'answer'>[],
): number {
  return exactMatches(said, examples).filter(Boolean).length / examples.length;
}
