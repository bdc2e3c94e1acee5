/** A whole tiny CogVLM on a backend: loss, every gradient and cached generation as on the cpu backend. */
import type { Backend } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { KVCache } from '../../src/models/cogvlm/index.ts';
import { getBackend, noGrad, setBackend, type Tensor } from '../../src/tensor/index.ts';
import { conversation, randomModel, randomPixels, tinyConfig } from '../support/models.ts';
import type { Failure } from './gpujsConformance.ts';

/** Of the greatest number of each tensor: some hundred roundings in a row, each half a unit in the last place. */
const TOLERANCE = 2e-5;

type Results = readonly (readonly [string, ArrayLike<number>])[];

async function results(backend: Backend): Promise<Results> {
  await setBackend(backend);
  const config = tinyConfig({ downsample: true, bias: true, heads: 4, group: 2 });
  const model = randomModel(config, 8, 'float32');
  const { ids, types, images } = conversation(config, [2, 3], 1);
  const input = { ids: [ids], types: [types] };
  const pixels = randomPixels(config, images, 3, 'float32') as Tensor;
  const logits = model.call({ ...input, pixels });
  const loss = model.loss(logits, [ids]);
  loss.backward();
  const found: [string, Tensor][] = [
    ['logits', logits],
    ['loss', loss],
  ];
  for (const [path, { grad }] of model.namedParameters()) if (grad !== null) found.push([path, grad]);

  const cache = new KVCache(config.numHiddenLayers, ids.length);
  noGrad(() => {
    found.push(['prompt', model.call({ ...input, pixels, cache }, true)]);
    for (let step = 0; step < 6; step++) {
      const next = { ids: [[3 + step]], types: [[0]], positions: [[ids.length + step]], cache };
      found.push([`step ${step}`, model.call(next, true)]);
    }
  });
  const read = await Promise.all(found.map(async ([name, x]) => [name, await x.read()] as const));
  cache.dispose();
  return read;
}

/** What of the model differs from the cpu backend; nothing should. Leaves the backend in use as it was. */
export async function modelConformance(backend: Backend): Promise<Failure[]> {
  const before = getBackend();
  try {
    const expected = await results(createCpuBackend());
    const got = new Map(await results(backend));
    return expected.flatMap(([what, values]) => {
      const message = difference(got.get(what), values);
      return message === undefined ? [] : [{ what, message }];
    });
  } finally {
    await setBackend(before);
  }
}

function difference(got: ArrayLike<number> | undefined, want: ArrayLike<number>): string | undefined {
  if (got === undefined) return 'not computed';
  if (got.length !== want.length) return `${got.length} elements, expected ${want.length}`;
  let scale = 1e-6;
  for (let i = 0; i < want.length; i++) scale = Math.max(scale, Math.abs(want[i]));
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(got[i] - want[i]) <= TOLERANCE * scale))
      return `element ${i} is ${got[i]}, expected ${want[i]} ± ${TOLERANCE * scale}`;
  return undefined;
}
