/** A saved run that is damaged, or of another model, is refused by name, and nothing has changed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSource, writeSafetensorsFile } from '../../src/data/safetensors/node.ts';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import type { TensorEntry } from '../../src/data/safetensors/write.ts';
import { AdamW, Linear } from '../../src/nn/index.ts';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import { loadRun, saveRun } from '../../src/train/node.ts';

/** What a file holds; a field of undefined is left out of it. */
interface Saved {
  readonly metadata: Readonly<Record<string, string | undefined>>;
  readonly entries: readonly TensorEntry[];
}

function begun(seed: number) {
  const model = new Linear({ inFeatures: 3, outFeatures: 2, bias: true, rng: new Rng(seed) });
  const optimizer = new AdamW([{ parameters: model.namedParameters() }]);
  return { model, optimizer };
}

function step({ model, optimizer }: ReturnType<typeof begun>): void {
  model
    .call(Tensor.ones([1, 3]))
    .sum()
    .backward();
  optimizer.step(0.1);
  optimizer.zeroGrad();
}

const numbers = ({ model, optimizer }: ReturnType<typeof begun>) => ({
  step: optimizer.stepCount,
  tensors: [...model.stateDict(), ...optimizer.state().tensors].map(([name, x]) => [
    name,
    Array.from(x.data),
  ]),
});

describe('a saved run', () => {
  let path = '';
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'cogvlm-run-')), 'run.safetensors');
  });
  afterAll(() => rm(join(path, '..'), { recursive: true }));

  /** Saves a run of two steps, changed on its way to the file, and loads it over another of one step. */
  async function expectRefused(change: (saved: Saved) => Partial<Saved>, message: string): Promise<void> {
    const saved = begun(1);
    step(saved);
    step(saved);
    await saveRun(path, saved.model, saved.optimizer);
    const file = await openSafetensors(await fileSource(path));
    const entries: TensorEntry[] = [];
    for (const { name, shape } of file.tensors.values()) {
      entries.push({ name, shape, dtype: 'F32', data: (await file.read(name)).data });
    }
    await file.close();
    const whole: Saved = { metadata: Object.fromEntries(file.metadata), entries };
    const written = { ...whole, ...change(whole) };
    const metadata = new Map<string, string>();
    for (const [key, text] of Object.entries(written.metadata))
      if (text !== undefined) metadata.set(key, text);
    await writeSafetensorsFile(path, written.entries, metadata);

    const other = begun(2);
    step(other);
    const before = numbers(other);
    await expect(loadRun(path, other.model, other.optimizer)).rejects.toThrow(message);
    expect(numbers(other)).toEqual(before);
  }

  const withField = (field: string, text: string | undefined) => {
    return ({ metadata }: Saved) => ({ metadata: { ...metadata, [field]: text } });
  };

  it.each(['', '-1', '1.5', '0x10', '1e308', 'two', '99999999999999999999'])(
    'with the step %j',
    async (text) => {
      await expectRefused(
        withField('step', text),
        `step is ${JSON.stringify(text)}, expected a whole number from 0 on`,
      );
    },
  );

  it('without a step', async () => {
    await expectRefused(withField('step', undefined), 'step is missing, expected a whole number');
  });

  it.each(['', '{', 'null', '[]', '3', '{"weight":"x"}'])('with %j as skipped steps', async (text) => {
    await expectRefused(
      withField('skipped', text),
      `skipped is ${JSON.stringify(text)}, expected an object of numbers of steps by name`,
    );
  });

  it('with skipped steps that cannot be', async () => {
    await expectRefused(
      withField('skipped', '{"weight":3}'),
      'run.safetensors: AdamW.loadState: skipped has 3 steps of weight, expected 0 to 2',
    );
    await expectRefused(
      withField('skipped', '{"w":1}'),
      'AdamW.loadState: skipped names w, which has no moments',
    );
  });

  it('without moments that were saved', async () => {
    const without = (entries: Saved['entries']) =>
      entries.filter(({ name }) => !name.startsWith('optimizer/weight'));
    await expectRefused(
      ({ entries }) => ({ entries: without(entries) }),
      'it has 2 tensors of the optimiser, optimizer_tensors says 4',
    );
    await expectRefused(
      withField('optimizer_tensors', undefined),
      'optimizer_tensors is missing, expected a whole number',
    );
  });

  it('with a tensor of nobody', async () => {
    await expectRefused(
      ({ entries }) => ({
        entries: entries.map((entry) => ({ ...entry, name: entry.name.replace('optimizer/', 'optimiser/') })),
      }),
      "is neither the model's nor the optimiser's",
    );
  });

  it('without a weight of the model', async () => {
    await expectRefused(
      ({ entries }) => ({ entries: entries.filter(({ name }) => name !== 'model/weight') }),
      'missing     weight',
    );
  });
});
