/** Tril: nothing looks ahead. */
import fc from 'fast-check';
import { Rng } from '../../src/tensor/index.ts';
import { demand, demandSame } from '../support/demand.ts';
import {
  anySeed,
  anyTexts,
  batchOf,
  conversation,
  hasWideNorms,
  randomPixels,
  tinyConfig,
  VOCABULARY as V,
} from '../support/models.ts';
import { logitsOf } from './logits.ts';
import { forAll, type Property } from './property.ts';

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.prototype.every.call(a, (value, i) => Object.is(value, b[i]));

const TOKENS: Property = {
  name: 'a later token never changes an earlier logit, not in the last bit',
  holds: (setting) =>
    forAll(
      setting,
      1,
      fc.record({ sizes: setting.sizes, texts: anyTexts, seed: anySeed }),
      async ({ sizes, texts, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        const talk = conversation(config, [...texts, 2], seed);
        const before = await logitsOf(model, batchOf(config, [talk], setting));
        const places = talk.types.flatMap((type, t) => (type === 0 ? [t] : []));
        const changed = places[new Rng(seed).integer(places.length)];
        const ids = talk.ids.map((id, t) => (t === changed ? (id + 1) % V : id));
        const after = await logitsOf(model, batchOf(config, [{ ...talk, ids }], setting));
        const end = changed * V;
        demandSame(after.slice(0, end), before.slice(0, end), `logits before token ${changed}`);
        demand(
          !isSame(after.slice(end, end + V), before.slice(end, end + V)),
          `the logits at token ${changed} are the same whatever the token`,
        );
      },
    ),
};

const PICTURES: Property = {
  name: 'a later picture never changes an earlier logit, not in the last bit, and changes those behind it',
  holds: (setting) =>
    forAll(
      setting,
      0.7,
      fc.record({ sizes: setting.sizes.filter(hasWideNorms), seed: anySeed }),
      async ({ sizes, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        const talk = conversation(config, [1, 1, 1], seed);
        const input = batchOf(config, [talk], setting);
        const before = await logitsOf(model, input);
        const second = talk.types.lastIndexOf(1);
        const pixels = input.pixels?.mul(1);
        const other = randomPixels(config, 1, seed + 1, setting.dtype);
        demand(pixels !== undefined && other !== undefined, 'the conversation has no pictures');
        pixels.slice(0, 1).assign(other);
        const after = await logitsOf(model, { ...input, pixels });
        const boi = talk.types.lastIndexOf(0, second) + 1; // of the second picture; it does not depend on the pixels
        const end = (boi + 1) * V;
        demandSame(after.slice(0, end), before.slice(0, end), 'logits before the second picture');
        // In float32 a narrow model may round away what the text makes of it, but not what its own places do.
        const seen = setting.dtype === 'float64' ? -V : end;
        demand(!isSame(after.slice(seen), before.slice(seen)), 'nothing sees the second picture');
      },
    ),
};

export const time: readonly Property[] = [TOKENS, PICTURES];
