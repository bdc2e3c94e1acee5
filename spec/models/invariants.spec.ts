/**
 * What must hold for every CogVLM, whatever its sizes, weights, prompts and paddings: random small models in float64.
 *
 * cached ≡ uncached generation; a batch ≡ each row alone; a later token never changes an earlier logit; without a picture
 * the model is exactly its language model; so it is when the experts' weights equal the language model's.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { cpu, createCpuBackend } from '../../src/kernels/cpu/index.ts';
import {
  type CogVLM,
  type CogVLMConfig,
  generate,
  type ModelInput,
  positionIds,
} from '../../src/models/cogvlm/index.ts';
import { noGrad, Rng, scope, setBackend, Tensor } from '../../src/tensor/index.ts';
import { expectClose } from '../support/agree.ts';
import { PlainLlama } from '../support/llama.ts';
import {
  anySeed,
  anySizes,
  anyTexts,
  type Conversation,
  conversation,
  randomModel,
  randomPixels,
  tinyConfig,
  VOCABULARY,
} from '../support/models.ts';

const V = VOCABULARY;
const runs = (numRuns: number) => ({ numRuns, seed: 2311 });

const logitsOf = (model: CogVLM, input: ModelInput) => noGrad(() => model.call(input)).data;

/** One conversation as a batch of one. */
function alone({ ids, types, images }: Conversation, config: CogVLMConfig, seed: number): ModelInput {
  return { ids: [ids], types: [types], pixels: randomPixels(config, images, seed) };
}

interface Batch {
  readonly ids: number[][];
  readonly types: number[][];
  readonly attentionMask: number[][];
  readonly pixels: Tensor | undefined;
}

/** Conversations as one batch, padded to one length on the left or right. Row b's pictures are those of seed + b. */
function batched(
  talks: readonly Conversation[],
  config: CogVLMConfig,
  seed: number,
  side: 'left' | 'right',
): Batch {
  const length = Math.max(...talks.map(({ ids }) => ids.length));
  const padded = (values: readonly number[], pad: number) => {
    const pads = new Array<number>(length - values.length).fill(pad);
    return side === 'left' ? [...pads, ...values] : [...values, ...pads];
  };
  const pictures = talks.flatMap(({ images }, b) => {
    const own = randomPixels(config, images, seed + b);
    return own === undefined ? [] : [...own.data];
  });
  const { inChannels: C, imageSize: S } = config.vision;
  const count = pictures.length / (C * S * S);
  return {
    ids: talks.map(({ ids }) => padded(ids, config.padTokenId)),
    types: talks.map(({ types }) => padded(types, 0)),
    attentionMask: talks.map(({ ids }) =>
      padded(
        ids.map(() => 1),
        0,
      ),
    ),
    pixels: count === 0 ? undefined : Tensor.fromArray(pictures, [count, C, S, S], { dtype: 'float64' }),
  };
}

async function generated(
  model: CogVLM,
  input: Parameters<typeof generate>[1],
  maxNewTokens: number,
): Promise<{ tokens: number[][]; logits: number[][] }> {
  const tokens: number[][] = [];
  const logits: number[][] = [];
  for await (const step of generate(model, input, { maxNewTokens, stopTokens: [] }, true)) {
    tokens.push([...step.tokens]);
    logits.push([...(step.logits ?? [])]);
  }
  return { tokens, logits };
}

afterEach(() => setBackend(cpu));

describe('generation', () => {
  it('with the cache gives the logits and tokens of running the whole sequence anew', async () => {
    const property = fc.asyncProperty(
      anySizes,
      fc.array(anyTexts, { minLength: 1, maxLength: 2 }),
      anySeed,
      async (sizes, texts, seed) => {
        const config = tinyConfig(sizes);
        const model = randomModel(config, seed);
        const talks = texts.map((lengths, b) => conversation(config, lengths, seed + b));
        const prompt = batched(talks, config, seed, 'left');
        const cached = await generated(model, prompt, 4);
        let { ids, types, attentionMask } = prompt;
        for (const [n, tokens] of cached.tokens.entries()) {
          const T = ids[0].length;
          const all = logitsOf(model, { ids, types, attentionMask, pixels: prompt.pixels });
          const last = ids.flatMap((_, b) => [...all.slice((b * T + T - 1) * V, (b + 1) * T * V)]);
          expectClose(cached.logits[n], last, 1e-10, `step ${n}`);
          const best = ids.map((_, b) => {
            const row = last.slice(b * V, (b + 1) * V);
            return row.indexOf(Math.max(...row));
          });
          expect(tokens).toEqual(best);
          ids = ids.map((row, b) => [...row, tokens[b]]);
          types = types.map((row) => [...row, 0]);
          attentionMask = attentionMask.map((row) => [...row, 1]);
        }
      },
    );
    await fc.assert(property, runs(30));
  });

  it('ends a row at its stop token, goes on with the others unchanged, and stops when all have ended', async () => {
    const config = tinyConfig();
    const model = randomModel(config, 8);
    const prompt = {
      ids: [
        [1, 3, 4],
        [1, 5, 6],
      ],
    };
    const free = await generated(model, prompt, 8);
    const rows = [0, 1].map((b) => free.tokens.map((tokens) => tokens[b]));
    const stopTokens = [rows[0][1], rows[1][4]];
    const ends = rows.map((row) => row.findIndex((token) => stopTokens.includes(token)) + 1);
    expect(ends).toEqual([2, 5]);
    const steps: (readonly number[])[] = [];
    for await (const { tokens } of generate(model, prompt, { maxNewTokens: 8, stopTokens }))
      steps.push(tokens);
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
    await generated(model, { ids: [[1, 3]] }, 5);
    expect(backend.memory()).toEqual(before);
  });
});

describe('a batch', () => {
  it.each(['left', 'right'] as const)('padded on the %s gives each row what it gives alone', (side) => {
    const property = fc.property(
      anySizes,
      fc.array(anyTexts, { minLength: 2, maxLength: 3 }),
      anySeed,
      (sizes, texts, seed) => {
        const config = tinyConfig(sizes);
        const model = randomModel(config, seed);
        // By the released rules a picture beside a pad has other positions: there is text between them.
        const apart = (lengths: number[]) => (side === 'left' ? lengths : [...lengths, 1]);
        const talks = texts.map((lengths, b) => conversation(config, apart(lengths), seed + b));
        const together = logitsOf(model, batched(talks, config, seed, side));
        const T = Math.max(...talks.map(({ ids }) => ids.length));
        for (const [b, talk] of talks.entries()) {
          const length = talk.ids.length;
          const start = (b * T + (side === 'left' ? T - length : 0)) * V;
          const own = logitsOf(model, alone(talk, config, seed + b));
          expectClose(together.slice(start, start + length * V), own, 1e-10, `row ${b}`);
        }
      },
    );
    fc.assert(property, runs(30));
  });

  it('generates for each row what it generates alone', async () => {
    const property = fc.asyncProperty(
      anySizes,
      anyTexts,
      anyTexts,
      anySeed,
      async (sizes, one, two, seed) => {
        const config = tinyConfig(sizes);
        const model = randomModel(config, seed);
        const talks = [one, two].map((lengths, b) => conversation(config, lengths, seed + b));
        const together = await generated(model, batched(talks, config, seed, 'left'), 3);
        for (const [b, talk] of talks.entries()) {
          const own = await generated(model, alone(talk, config, seed + b), 3);
          expect(together.tokens.map((tokens) => tokens[b])).toEqual(own.tokens.map(([token]) => token));
        }
      },
    );
    await fc.assert(property, runs(25));
  });
});

describe('time', () => {
  it('a later token never changes an earlier logit, not in the last bit', () => {
    const property = fc.property(anySizes, anyTexts, anySeed, (sizes, texts, seed) => {
      const config = tinyConfig(sizes);
      const model = randomModel(config, seed);
      const talk = conversation(config, [...texts, 2], seed);
      const before = logitsOf(model, alone(talk, config, seed));
      const places = talk.types.flatMap((type, t) => (type === 0 ? [t] : []));
      const changed = places[new Rng(seed).integer(places.length)];
      const ids = talk.ids.map((id, t) => (t === changed ? (id + 1) % V : id));
      const after = logitsOf(model, alone({ ...talk, ids }, config, seed));
      expect(after.slice(0, changed * V)).toEqual(before.slice(0, changed * V));
      expect(after.slice(changed * V, (changed + 1) * V)).not.toEqual(
        before.slice(changed * V, (changed + 1) * V),
      );
    });
    fc.assert(property, runs(30));
  });

  it('nor does a later picture; and the text after a picture does see it', () => {
    const property = fc.property(anySizes, anySeed, (sizes, seed) => {
      const config = tinyConfig(sizes);
      const model = randomModel(config, seed);
      const talk = conversation(config, [1, 1, 1], seed);
      const input = alone(talk, config, seed);
      const before = logitsOf(model, input);
      const second = talk.types.lastIndexOf(1);
      const pixels = input.pixels?.mul(1) as Tensor;
      pixels.slice(0, 1).assign(pixels.slice(0, 1).mul(-2).add(0.3));
      const after = logitsOf(model, { ...input, pixels });
      const boi = talk.types.lastIndexOf(0, second) + 1; // of the second picture, and not of pixels itself
      expect(after.slice(0, (boi + 1) * V)).toEqual(before.slice(0, (boi + 1) * V));
      expect(after.slice(-V)).not.toEqual(before.slice(-V));
    });
    fc.assert(property, runs(25));
  });
});

describe('without a picture', () => {
  it('it is exactly the language model: LLaMA in plain loops gives the same logits', () => {
    const property = fc.property(anySizes, fc.integer({ min: 0, max: 6 }), anySeed, (sizes, length, seed) => {
      const config = tinyConfig(sizes);
      const model = randomModel(config, seed);
      const { ids } = conversation(config, [length], seed);
      const llama = new PlainLlama(model);
      const wanted = llama.logits(
        llama.embed(ids),
        ids.map((_, t) => t),
      );
      expectClose(logitsOf(model, { ids: [ids] }), wanted.flat(), 1e-11, 'logits');
    });
    fc.assert(property, runs(40));
  });

  it('no vision weight can change a logit, not in the last bit', () => {
    const property = fc.property(anySizes, fc.integer({ min: 0, max: 4 }), anySeed, (sizes, length, seed) => {
      const config = tinyConfig(sizes);
      const model = randomModel(config, seed);
      const { ids } = conversation(config, [length], seed);
      const before = logitsOf(model, { ids: [ids] });
      const rng = new Rng(seed + 1);
      for (const [path, weight] of model.namedParameters()) {
        if (path.includes('vision')) weight.assign(Tensor.randn(weight.shape, rng, { dtype: 'float64' }));
      }
      expect(logitsOf(model, { ids: [ids] })).toEqual(before);
    });
    fc.assert(property, runs(25));
  });
});

describe('with experts equal to the language weights', () => {
  it('it is exactly the language model on the same embeddings, and with other experts it is not', () => {
    const property = fc.property(anySizes, anyTexts, anySeed, (sizes, texts, seed) => {
      const config = tinyConfig(sizes);
      const model = randomModel(config, seed);
      const talk = conversation(config, [...texts, 1], seed);
      const input = alone(talk, config, seed);
      const own = logitsOf(model, input);
      const weights = model.stateDict();
      for (const [path, weight] of model.namedParameters()) {
        if (!path.startsWith('model.layers.') || !path.includes('vision')) continue;
        const language = weights.get(
          path.replace('vision_expert', 'language_expert').replace('vision_mlp', 'language_mlp'),
        );
        weight.assign(language ?? Tensor.zeros([], { dtype: 'float64' })); // the bias has no counterpart
      }
      const llama = new PlainLlama(model);
      const features = noGrad(() => model.model.vision.call(input.pixels as Tensor)).data;
      const D = config.hiddenSize;
      let next = 0;
      const embeddings = llama.embed(talk.ids).map((row, t) => {
        if (talk.types[t] === 0) return row;
        next++;
        return Array.from(features.slice((next - 1) * D, next * D));
      });
      expect(next * D).toBe(features.length);
      const wanted = llama.logits(embeddings, positionIds(talk.types)).flat();
      expectClose(logitsOf(model, input), wanted, 1e-10, 'logits');
      expect(Math.max(...wanted.map((v, i) => Math.abs(v - own[i])))).toBeGreaterThan(1e-6);
    });
    fc.assert(property, runs(30));
  });
});

describe('gradients', () => {
  it('reach every weight, and experts only where there is a picture', () => {
    const config = tinyConfig({ downsample: true, bias: true, group: 2 });
    const model = randomModel(config, 8);
    const idle = () =>
      [...model.namedParameters()].flatMap(([path, { grad }]) => (grad === null ? [path] : []));
    const talk = conversation(config, [1, 3], 1);
    model.loss(model.call(alone(talk, config, 1)), [talk.ids]).backward();
    expect(idle()).toEqual([]);
    model.zeroGrad();
    model.loss(model.call({ ids: [[1, 3, 4]] }), [[1, 3, 4]]).backward();
    expect(idle().length).toBeGreaterThan(20);
    expect(idle().every((path) => path.includes('vision'))).toBe(true);
  });
});

describe('picture features', () => {
  it('given in place of pixels are what the vision model makes of them', () => {
    const config = tinyConfig({ downsample: true });
    const model = randomModel(config, 8);
    const talk = conversation(config, [1, 3], 1);
    const input = alone(talk, config, 1);
    const imageFeatures = noGrad(() => model.model.vision.call(input.pixels as Tensor));
    expect(logitsOf(model, { ...input, pixels: undefined, imageFeatures })).toEqual(logitsOf(model, input));
    const short = imageFeatures.slice(1, 1);
    expect(() => logitsOf(model, { ...input, pixels: undefined, imageFeatures: short })).toThrow(
      'places have type 1',
    );
  });
});
