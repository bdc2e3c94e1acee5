/** How often a model says exactly the right thing. */
import { type CogVLM, generate } from '../models/cogvlm/index.ts';
import { collate, type Example } from './batch.ts';

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
  const { input } = collate(
    model,
    examples.map((example) => ({ ...example, answer: [] })),
  );
  // Without an answer a row ends in eos, which is for the model to say.
  const withoutEos = (rows: readonly (readonly number[])[] = []) => rows.map((row) => row.slice(0, -1));
  const prompt = { ...input, ids: withoutEos(input.ids), types: withoutEos(input.types) };
  const said = examples.map((): number[] => []);
  const ended = examples.map(() => false);
  for await (const { tokens } of generate(model, prompt, { maxNewTokens })) {
    for (const [b, token] of tokens.entries()) {
      ended[b] ||= model.config.eosTokenId.includes(token);
      if (!ended[b]) said[b].push(token);
    }
  }
  input.pixels?.dispose();
  return said;
}

/** Part of the answers that are the expected ones, token for token. */
export function exactMatch(said: readonly (readonly number[])[], examples: readonly Example[]): number {
  const right = said.filter((tokens, i) => String(tokens) === String(examples[i].answer)).length;
  return right / examples.length;
}
