/** Where generation ends, and what it leaves behind. That its cache changes nothing is a property (spec/properties). */
import { afterEach, describe, expect, it } from 'vitest';
import { cpu, createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { type CogVLM, generate, type Prompt } from '../../src/models/cogvlm/index.ts';
import { scope, setBackend } from '../../src/tensor/index.ts';
import { randomModel, tinyConfig } from '../support/models.ts';

/** The tokens of each step. */
async function tokensOf(
  model: CogVLM,
  prompt: Prompt,
  maxNewTokens: number,
  stopTokens: readonly number[],
): Promise<(readonly number[])[]> {
  const steps: (readonly number[])[] = [];
  for await (const { tokens } of generate(model, prompt, { maxNewTokens, stopTokens })) steps.push(tokens);
  return steps;
}

afterEach(() => setBackend(cpu));

describe('generation', () => {
  it('ends a row at its stop token, goes on with the others unchanged, and stops when all have ended', async () => {
    const config = tinyConfig();
    const model = randomModel(config, 8);
    const prompt = {
      ids: [
        [1, 3, 4],
        [1, 5, 6],
      ],
    };
    const free = await tokensOf(model, prompt, 8, []);
    const rows = [0, 1].map((b) => free.map((tokens) => tokens[b]));
    const stopTokens = [rows[0][1], rows[1][4]];
    const ends = rows.map((row) => row.findIndex((token) => stopTokens.includes(token)) + 1);
    expect(ends).toEqual([2, 5]);
    const steps = await tokensOf(model, prompt, 8, stopTokens);
    const pad = config.padTokenId;
    expect(steps.map(([token]) => token)).toEqual([...rows[0].slice(0, 2), pad, pad, pad]);
    expect(steps.map(([, token]) => token)).toEqual(rows[1].slice(0, 5));
  });

  it('leaves its memory behind neither at the end nor when it is broken off', async () => {
    const backend = await setBackend(createCpuBackend());
    const model = scope(() => randomModel(tinyConfig(), 8));
    const before = backend.memory();
    for await (const { tokens } of generate(model, { ids: [[1, 3]] }, { maxNewTokens: 5, stopTokens: [] })) {
      expect(tokens.length).toBe(1);
      break;
    }
    expect(backend.memory()).toEqual(before);
    await tokensOf(model, { ids: [[1, 3]] }, 5, []);
    expect(backend.memory()).toEqual(before);
  });
});
