/** One model, whatever computes it. */
import { scope } from '../../src/tensor/index.ts';
import { demand, demandClose } from '../support/demand.ts';
import { batchOf, hasWideNorms, randomModel, tinyConfig } from '../support/models.ts';
import { type Computation, measureNoise } from '../support/noise.ts';
import { anyTalks, talksOf } from './logits.ts';
import { forAll, type Property } from './property.ts';

const AGREES: Property = {
  name: 'logits, loss and every gradient are those of the cpu backend in float64',
  holds: (setting) =>
    forAll(
      setting,
      1,
      anyTalks(setting.sizes.filter(hasWideNorms), 1, 2),
      async ({ sizes, texts, seed }, trial) => {
        const config = tinyConfig(sizes);
        const apart = texts.map((lengths) => [...lengths, 1]);
        const talks = talksOf(config, { texts: apart, seed });
        const compute: Computation = async ({ dtype, nudge }) => {
          const model = randomModel(config, seed, dtype, nudge);
          const results = new Map<string, ArrayLike<number>>();
          const input = batchOf(config, talks, { side: 'right', dtype, nudge });
          await scope(async () => {
            const { pixels } = input;
            if (pixels !== undefined) pixels.requiresGrad = true;
            const logits = model.call(input);
            const loss = model.loss(logits, input.ids);
            loss.backward();
            results.set('logits', await logits.read());
            results.set('loss', await loss.read());
            if (pixels?.grad) results.set('gradient of the pixels', await pixels.grad.read());
            pixels?.zeroGrad();
          });
          for (const [path, { grad }] of model.namedParameters())
            if (grad !== null) results.set(`gradient of ${path}`, await grad.read());
          model.dispose();
          return results;
        };
        const noise = await measureNoise(compute);
        const got = await compute(setting);
        demand(got.size === noise.truth.size, `${got.size} results, expected ${noise.truth.size}`);
        for (const [name, wanted] of noise.truth)
          demandClose(got.get(name) ?? [], wanted, trial.allowed(noise, name), name);
      },
    ),
  restriction: {
    applies: ({ backend, dtype }) => backend !== 'cpu' || dtype !== 'float64',
    reason: 'cpu in float64 is what the others are compared with',
  },
};

export const backends: readonly Property[] = [AGREES];
