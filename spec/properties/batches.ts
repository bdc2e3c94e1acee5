/** Rows of a batch know nothing of each other. */
import { Rng } from '../../src/tensor/index.ts';
import { demandClose, demandSame } from '../support/demand.ts';
import { batchOf, type Side, tinyConfig, VOCABULARY as V } from '../support/models.ts';
import { anyTalks, logitsOf, noiseOfLogits, talksOf } from './logits.ts';
import { forAll, type Property } from './property.ts';

function paddedOn(side: Side): Property {
  return {
    name: `a batch padded on the ${side} gives each row what it gives alone`,
    holds: (setting) =>
      forAll(setting, 1, anyTalks(setting.sizes, 2, 3), async ({ sizes, texts, seed }, trial) => {
        const config = tinyConfig(sizes);
        const model = trial.model(config, seed);
        // By the released rules a picture beside a pad has other positions: there is text between them.
        const apart = side === 'left' ? texts : texts.map((lengths) => [...lengths, 1]);
        const talks = talksOf(config, { texts: apart, seed });
        const together = await logitsOf(model, batchOf(config, talks, { ...setting, side }));
        const noise = await noiseOfLogits(config, seed, talks, side);
        const T = Math.max(...talks.map(({ ids }) => ids.length));
        for (const [b, talk] of talks.entries()) {
          const length = talk.ids.length;
          const start = (b * T + (side === 'left' ? T - length : 0)) * V;
          const own = await logitsOf(model, batchOf(config, [talk], setting));
          const row = together.slice(start, start + length * V);
          demandClose(row, own, trial.allowed(noise, 'logits'), `row ${b}`);
        }
      }),
  };
}

const PERMUTED: Property = {
  name: 'permuting the rows of a batch permutes its logits, bit for bit',
  holds: (setting) =>
    forAll(setting, 0.7, anyTalks(setting.sizes, 2, 4), async ({ sizes, texts, seed }, trial) => {
      const config = tinyConfig(sizes);
      const model = trial.model(config, seed);
      const talks = talksOf(config, { texts, seed });
      const order = new Rng(seed).shuffle([...talks.keys()]);
      const logits = await logitsOf(model, batchOf(config, talks, setting));
      const moved = order.map((b) => talks[b]);
      const permuted = await logitsOf(model, batchOf(config, moved, setting));
      const row = logits.length / talks.length;
      for (const [at, b] of order.entries()) {
        const wanted = logits.slice(b * row, (b + 1) * row);
        demandSame(permuted.slice(at * row, (at + 1) * row), wanted, `row ${b}, now at ${at}`);
      }
    }),
};

export const batches: readonly Property[] = [paddedOn('left'), paddedOn('right'), PERMUTED];
