/** Generation keeps keys and values of what it has seen; nobody must be able to tell. */
import fc from 'fast-check';
import { type CogVLM, generate, type Prompt } from '../../src/models/cogvlm/index.ts';
import { demand, demandClose } from '../support/demand.ts';
import {
  anySeed,
  anyTexts,
  type Batch,
  batchOf,
  type Conversation,
  tinyConfig,
  VOCABULARY as V,
} from '../support/models.ts';
import { anyTalks, logitsOf, noiseOfLogits, talksOf } from './logits.ts';
import { forAll, type Property } from './property.ts';

interface Step {
  readonly tokens: readonly number[];
  /** [B, V] */
  readonly logits: ArrayLike<number>;
}

async function generated(model: CogVLM, prompt: Prompt, maxNewTokens: number): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const { tokens, logits = [] } of generate(model, prompt, { maxNewTokens, stopTokens: [] }, true))
    steps.push({ tokens, logits: logits as ArrayLike<number> });
  return steps;
}

/** Logits of row b of a step. */
function row({ logits }: Step, b: number): number[] {
  return Array.prototype.slice.call(logits, b * V, (b + 1) * V);
}

const indexOfMax = (values: readonly number[]) => values.indexOf(Math.max(...values));

/** How far the best of the values is above the second best. */
function margin(values: readonly number[]): number {
  const [second, best] = [...values].sort((a, b) => a - b).slice(-2);
  return best - second;
}

/** A batch with each row's generated tokens behind it. */
function continued(prompt: Batch, steps: readonly Step[]): Batch {
  const extend = (rows: readonly number[][], next: (b: number) => number[]) =>
    rows.map((values, b) => [...values, ...next(b)]);
  return {
    ids: extend(prompt.ids, (b) => steps.map(({ tokens }) => tokens[b])),
    types: extend(prompt.types, () => steps.map(() => 0)),
    attentionMask: extend(prompt.attentionMask, () => steps.map(() => 1)),
    pixels: prompt.pixels,
  };
}

/** The conversations with their generated tokens. */
function talksWith(talks: readonly Conversation[], steps: readonly Step[]): Conversation[] {
  return talks.map((talk, b) => ({
    ...talk,
    ids: [...talk.ids, ...steps.map(({ tokens }) => tokens[b])],
    types: [...talk.types, ...steps.map(() => 0)],
  }));
}

const CACHED: Property = {
  name: 'generation with the cache gives the logits and tokens of running the whole sequence at once',
  holds: (setting) =>
    forAll(setting, 1, anyTalks(setting.sizes, 1, 2), async ({ sizes, texts, seed }, trial) => {
      const config = tinyConfig(sizes);
      const model = trial.model(config, seed);
      const talks = talksOf(config, { texts, seed });
      const prompt = batchOf(config, talks, setting);
      const steps = await generated(model, prompt, 4);
      const whole = continued(prompt, steps);
      const all = await logitsOf(model, whole);
      const noise = await noiseOfLogits(config, seed, talksWith(talks, steps));
      const allowed = trial.allowed(noise, 'logits');
      const [start, T] = [prompt.ids[0].length, whole.ids[0].length];
      for (const [n, step] of steps.entries()) {
        for (const [b, token] of step.tokens.entries()) {
          const what = `step ${n} of row ${b}`;
          const place = (b * T + start + n - 1) * V;
          const uncached: number[] = Array.prototype.slice.call(all, place, place + V);
          demandClose(row(step, b), uncached, allowed, what);
          demand(
            token === indexOfMax(row(step, b)),
            `${what}: token ${token}, but the largest logit is that of ${indexOfMax(row(step, b))}`,
          );
          demand(
            token === indexOfMax(uncached) || margin(uncached) <= 2 * allowed,
            `${what}: token ${token}, uncached ${indexOfMax(uncached)}`,
          );
        }
      }
    }),
};

const BATCHED: Property = {
  name: 'a batch generates for each row what the row generates alone',
  holds: (setting) =>
    forAll(
      setting,
      0.7,
      fc.record({ sizes: setting.sizes, texts: fc.tuple(anyTexts, anyTexts), seed: anySeed }),
      async ({ sizes, texts, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        const talks = talksOf(config, { texts, seed });
        const together = await generated(model, batchOf(config, talks, setting), 3);
        const noise = await noiseOfLogits(config, seed, talksWith(talks, together));
        const allowed = trial.allowed(noise, 'logits');
        for (const [b, talk] of talks.entries()) {
          const own = await generated(model, batchOf(config, [talk], setting), 3);
          for (const [n, step] of own.entries()) {
            const logits = row(together[n], b);
            demandClose(logits, row(step, 0), allowed, `step ${n} of row ${b}`);
            if (step.tokens[0] === together[n].tokens[b]) continue;
            // Two tokens as good as each other: from here on the texts differ, and may.
            if (margin(logits) <= 2 * allowed) break;
            throw new Error(`step ${n} of row ${b}: ${together[n].tokens[b]}, alone ${step.tokens[0]}`);
          }
        }
      },
    ),
};

export const generation: readonly Property[] = [CACHED, BATCHED];
