/** Inputs that do not fit are refused by name, experts get exactly their tokens, weights are those of the table of names. */
import { describe, expect, it } from 'vitest';
import {
  CogVLM,
  checkpointKeys,
  ExpertRouting,
  KVCache,
  type ModelInput,
} from '../../src/models/cogvlm/index.ts';
import { noGrad, Rng, Tensor } from '../../src/tensor/index.ts';
import { batchOf, conversation, randomModel, randomPixels, tinyConfig } from '../support/models.ts';

const config = tinyConfig();
const model = randomModel(config, 3);
const call = (input: ModelInput) => noGrad(() => model.call(input));
const features = (tokens: number) => Tensor.zeros([1, tokens, config.hiddenSize], { dtype: 'float64' });

describe('weights', () => {
  it.each([{}, { bias: true }, { downsample: true, group: 2 }])(
    '%o: those of the table, and no other',
    (sizes) => {
      const some = tinyConfig(sizes);
      const shapesOf = (weights: Iterable<readonly [string, { readonly shape: readonly number[] }]>) =>
        new Map([...weights].map(([name, { shape }]) => [name, [...shape]]));
      expect(shapesOf(new CogVLM(some).state())).toEqual(shapesOf(checkpointKeys(some)));
    },
  );
});

describe('a model without weights', () => {
  const zeros =
    'CogVLM: the weights are zeros: the model was made without random numbers and nothing was loaded';
  const ids = [[1, 2]];

  it('does not run, and says what to do', () => {
    const empty = new CogVLM(config, { dtype: 'float64' });
    expect(() => empty.call({ ids })).toThrow(zeros);
    expect(() => empty.call({ ids })).toThrow('new CogVLM(config, { rng: new Rng(seed) })');
  });

  it('runs once they are drawn or loaded', () => {
    expect(new CogVLM(config, { rng: new Rng(1) }).call({ ids }).shape).toEqual([1, 2, config.vocabSize]);
    const loaded = new CogVLM(config, { dtype: 'float64' });
    loaded.loadStateDict(model.stateDict());
    expect(loaded.call({ ids }).data).toEqual(call({ ids }).data);
  });
});

describe('places', () => {
  it('types and attention mask have a row for each row of ids, as long as it', () => {
    const ids = [[1, 2, 3], [1, 2, 3]]; // biome-ignore format: rows
    const text = [0, 0, 0];
    expect(() => call({ ids, types: [text] })).toThrow('types: 1 rows for 2 rows of ids');
    expect(() => call({ ids, types: [[0, 0], text] })).toThrow('types: row 0 has 2 entries, expected 3');
    expect(() => call({ ids, types: [text, [0, 0]] })).toThrow('types: row 1 has 2 entries, expected 3');
    expect(() => call({ ids, attentionMask: [[1, 1, 1]] })).toThrow(
      'attentionMask: 1 rows for 2 rows of ids',
    );
    expect(() => call({ ids, attentionMask: [[1, 1], [1, 1, 1]] })).toThrow('attentionMask: row 0 has 2'); // biome-ignore format: rows
  });

  it('an attention mask beside a cache is as long as all so far', () => {
    const cache = new KVCache(config.numHiddenLayers, 4);
    call({ ids: [[1, 2]], attentionMask: [[1, 1]], cache });
    const next = { ids: [[3]], positions: [[2]], cache };
    expect(() => call({ ...next, attentionMask: [[1]] })).toThrow(
      'attentionMask: row 0 has 1 entries, expected 3',
    );
  });

  it('with a mask of zeros no token sees another', () => {
    const last = (first: number) => [
      ...call({ ids: [[first, 2]], attentionMask: [[0, 0]] }).slice(1, -1).data,
    ];
    expect(last(5)).toEqual(last(1));
  });

  it('pictures fill exactly the places of type 1', () => {
    const talk = conversation(config, [1, 1], 1);
    const { pixels, ...places } = batchOf(config, [talk]);
    const slots = talk.types.filter((type) => type === 1).length;
    expect(() => call(places)).toThrow('places have type 1, but no picture came');
    expect(() => call({ ...places, imageFeatures: features(slots - 1) })).toThrow(
      `${slots} places have type 1`,
    );
    const more = { ids: [[1, ...talk.ids]], types: [[1, ...talk.types]] };
    expect(() => call({ ...more, imageFeatures: features(slots + 1) })).toThrow(
      `${slots + 1} places have type 1`,
    );
    expect(() => call({ ...more, pixels })).toThrow(`${slots + 1} places have type 1`);
  });

  it('pictures have the size of the config', () => {
    const { inChannels: C, imageSize: S } = config.vision;
    const needs = /^VisionModel\(pixels\): pixels: needs shape \[B,C,side,side\] with C = 3, side = 4/;
    const shapes = [[1, C, S + 2, S], [1, C, S, S + 2], [1, C + 1, S, S], [C, S, S], [1, C, S, S, 1]]; // biome-ignore format: rows
    for (const shape of shapes)
      expect(() => model.model.vision.call(Tensor.zeros(shape, { dtype: 'float64' })), `${shape}`).toThrow(
        needs,
      );
    expect(model.model.vision.call(randomPixels(config, 1, 1) as Tensor).shape[0]).toBe(1);
  });
});

describe('the loss', () => {
  it('needs a label for each place of the logits', () => {
    const logits = call({ ids: [[1, 2, 3], [4, 5, 6]] }); // biome-ignore format: rows
    expect(model.loss(logits, [[1, 2, 3], [4, 5, 6]]).shape).toEqual([]); // biome-ignore format: rows
    expect(() => model.loss(logits, [[1, 2, 3]])).toThrow(
      `CogVLM.loss(logits): logits: needs shape [B,T,V] with B = 1, T = 3, V = ${config.vocabSize} (axis 0): logits is float64[2,3,`,
    );
    expect(() => model.loss(logits, [[1, 2, 3], [4, 5]])).toThrow('labels: row 1 has 2 entries, expected 3'); // biome-ignore format: rows
    expect(() => model.loss(logits, [])).toThrow('with B = 0, T = 0');
  });
});

describe('routing', () => {
  it('needs the tokens that were told apart', () => {
    const routing = new ExpertRouting([[true, false, false]]);
    expect(() => routing.split(Tensor.zeros([1, 2, 4]))).toThrow(
      'ExpertRouting.split(X): X: needs shape [B,T,D] with B = 1, T = 3 (axis 1): X is float32[1,2,4].',
    );
  });

  it.each([['V'], ['L'], ['VL'], ['LV'], ['VVLV'], ['LLVL'], ['VV'], ['LL']])('%s', (experts) => {
    const mask = [[...experts].map((expert) => expert === 'V')];
    const T = experts.length;
    const X = Tensor.fromArray(Array.from({ length: T }, (_, t) => t), [1, T, 1]); // biome-ignore format: one line
    const routing = new ExpertRouting(mask);
    const { X_I, X_T } = routing.split(X);
    const places = (wanted: boolean) => mask[0].flatMap((vision, t) => (vision === wanted ? [t] : []));
    expect([X_I.shape, [...X_I.data]]).toEqual([[places(true).length, 1], places(true)]);
    expect([X_T.shape, [...X_T.data]]).toEqual([[places(false).length, 1], places(false)]);
    let asked = '';
    const adds = (part: Tensor, what: number, kind: string) => () => {
      asked += kind;
      return part.add(what);
    };
    const Y = routing.concat(adds(X_I, 100, 'V'), adds(X_T, 200, 'L'));
    expect(asked).toBe(['V', 'L'].filter((kind) => experts.includes(kind)).join(''));
    expect([...Y.data]).toEqual(mask[0].map((vision, t) => t + (vision ? 100 : 200)));
  });
});
