/** The trace names the module that is at fault: none where none is, and each of many faults written into the source. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { openCpu } from '../../src/kernels/cpu/index.ts';
import { type BackendName, createBackend } from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import type { GoldenFolder } from '../../src/verify/golden.ts';
import { moduleAtFault, type TraceRow, traceModel } from '../../src/verify/trace/trace.ts';
import { importAltered } from '../support/altered.ts';
import { alteredTrace, goldenModel, namedFor, PLANTED_BUGS } from '../support/plantedBugs.ts';
import { withFault } from '../support/plantedFault.ts';

const MODELS = ['cogvlm', 'cogvlm2'] as const;
const MODULES = { cogvlm: 94, cogvlm2: 95 };

afterEach(async () => {
  await setBackend('cpu');
});

/** Names of the rows that are not OK, with what they are. */
function wrong(rows: readonly TraceRow[]): string[] {
  return rows.flatMap(({ name, status }) => (status === 'OK' ? [] : [`${status} ${name}`]));
}

async function traceOn(backend: BackendName | Backend, model: string): Promise<TraceRow[]> {
  await setBackend(backend);
  return traceModel(goldenModel(model), 'float32');
}

describe('nothing planted, nothing named', () => {
  it.each(MODELS)('float64, %s', async (model) => {
    const rows = await traceModel(goldenModel(model), 'float64');
    expect(wrong(rows)).toEqual([]);
    expect(moduleAtFault(rows)).toBeNull();
    expect(new Set(rows.map(({ of }) => of)).size).toBe(MODULES[model] + 2);
    // Every module but the embedding, the position table, `model` and the root has a gradient, too.
    expect(rows.filter(({ check }) => check === 'gradient').length).toBe(MODULES[model] - 4);
    for (const { name, error, mean } of rows) {
      if (name.includes('/')) expect([name, mean !== null && mean <= (error ?? 0)]).toEqual([name, true]);
    }
  });

  it.each([
    ['cpu', 'cpu'],
    ['cpu, strict', openCpu({ strict: true })],
    ['wasm', 'wasm'],
    ['gpujs', 'gpujs'],
  ] as const)('float32 on %s', async (_, backend) => {
    for (const model of MODELS) expect([model, wrong(await traceOn(backend, model))]).toEqual([model, []]);
  });

  it('float32 on wasm without fused multiply-add; all memory is given back', async () => {
    const plain = await createBackend('wasm', { wasm: { relaxed: false } });
    for (const model of MODELS) expect([model, wrong(await traceOn(plain, model))]).toEqual([model, []]);
    expect(plain.memory()).toEqual({ bytes: 0, buffers: 0 });
  });
});

const VIT = 'src/models/cogvlm/evaVit.ts';
const ADAPTER = 'src/models/cogvlm/adapter.ts';
const DECODER = 'src/models/cogvlm/decoder.ts';
const EXPERT = 'src/models/cogvlm/visualExpert.ts';

describe('a fault in the source is named', () => {
  it.each(PLANTED_BUGS)('%s: %s', async (_, named, edits) => {
    expect(await namedFor(edits)).toBe(named);
  });

  it('in a backward formula only: by the gradient of the input', async () => {
    const rows = await alteredTrace([
      { file: 'src/kernels/cpu/norm.ts', from: 'W.get(j) - (n * sumGN) / D)', to: 'W.get(j))' },
    ]);
    expect(moduleAtFault(rows)).toBe('model.layers.0.input_layernorm');
    expect(wrong(rows).filter((row) => !row.endsWith('/din'))).toEqual([]);
    expect(wrong(rows)[0]).toBe('DIFF model.layers.0.input_layernorm/din');
  });

  it('where grouped queries use the wrong key head', async () => {
    const from = 'Math.floor((h * kvHeads) / H)';
    const rows = await alteredTrace(
      [{ file: 'src/kernels/cpu/attention.ts', from, to: 'h % kvHeads' }],
      'cogvlm2',
    );
    expect(moduleAtFault(rows)).toBe('model.layers.0.self_attn');
  });

  it('where a fast kernel is off by 1e-5', async () => {
    const faulty = withFault(
      await createBackend('wasm', {}),
      'rmsNorm',
      (numbers) => {
        for (const [i, value] of numbers.entries()) numbers[i] = value * (1 + 1e-5);
      },
      'y',
    );
    expect(moduleAtFault(await traceOn(faulty, 'cogvlm'))).toBe('model.layers.0.input_layernorm');
  });
});

describe('a module that', () => {
  it('is never called is MISSING', async () => {
    const rows = await alteredTrace([{ file: DECODER, from: 'this.input_layernorm.call(x)', to: 'x' }]);
    expect(moduleAtFault(rows)).toBe('model.layers.0.input_layernorm');
    expect(rows.find(({ name }) => name === 'model.layers.0.input_layernorm/out')).toMatchObject({
      status: 'MISSING',
      note: 'the model has called no such module',
      blocked: false,
    });
  });

  it('throws is SHAPE, and what would have come after it is not blamed', async () => {
    const rows = await alteredTrace([{ file: VIT, from: '(i + 1) * E)', to: '(i + 1) * E - 1)' }]);
    const attention = 'model.vision.transformer.layers.0.attention';
    expect(moduleAtFault(rows)).toBe(attention);
    const found = rows.find(({ name }) => name === `${attention}/out`);
    expect(found?.status).toBe('SHAPE');
    expect(found?.note).toMatch(new RegExp(`^reshape.* In ${attention.replaceAll('.', '\\.')}\\.$`));
    const dense = rows.find(({ name }) => name === `${attention}.dense/out`);
    expect(dense).toMatchObject({ status: 'MISSING', blocked: true });
    expect(dense?.note).toMatch(/^the run stopped before it: reshape/);
    expect(rows.find(({ name }) => name === `${attention}.query_key_value/out`)?.status).toBe('OK');
    expect(rows.find(({ name }) => name === '/out')?.status).toBe('SHAPE');
  });

  it('hands a part something of a wrong width is at fault, not the part in which it is noticed', async () => {
    const from = 'this.vision_expert_dense.call(A_I)';
    const rows = await alteredTrace([
      { file: EXPERT, from, to: 'this.vision_expert_dense.call(A_I.slice(1, 1))' },
    ]);
    expect(moduleAtFault(rows)).toBe('model.layers.0.self_attn');
    const dense = 'model.layers.0.self_attn.vision_expert_dense/out';
    expect(rows.find(({ name }) => name === dense)?.status).toBe('OK');
  });

  it('returns another shape is SHAPE', async () => {
    const from = 'swiglu(this.gate_proj.call(u), this.dense_h_to_4h.call(u)))';
    const rows = await alteredTrace([{ file: ADAPTER, from, to: `${from}.slice(1, 1)` }]);
    expect(moduleAtFault(rows)).toBe('model.vision.linear_proj');
    const found = rows.find(({ name }) => name === 'model.vision.linear_proj/out');
    expect(found).toMatchObject({ status: 'SHAPE', note: 'got [1,15,64], expected [1,16,64]' });
  });
});

describe('the fault', () => {
  const row = (of: string, status: TraceRow['status'], blocked = false) =>
    ({ of, status, blocked }) as TraceRow;

  it('is the first that is wrong with nothing wrong inside', () => {
    expect(moduleAtFault([row('a.b', 'OK'), row('a', 'DIFF'), row('', 'DIFF')])).toBe('a');
    expect(moduleAtFault([row('a.b', 'OK'), row('a', 'DIFF'), row('c', 'DIFF'), row('a.c', 'DIFF')])).toBe(
      'c',
    );
    expect(moduleAtFault([row('a', 'DIFF'), row('ab', 'DIFF')])).toBe('a');
    expect(moduleAtFault([row('a', 'MISSING', true), row('', 'SHAPE')])).toBe('');
    expect(moduleAtFault([row('a', 'OK'), row('', 'OK')])).toBeNull();
  });
});

describe('files that do not say what they should', () => {
  it.each([
    ['{}', /trace\.json: modules is not a list of \{path, out, din\?\}$/],
    ['{"modules": []}', /modules is not a list/],
    ['{"modules": [{"path": "a"}]}', /modules is not a list/],
    ['{', /trace\.json is not JSON/],
    ['{"modules": [{"path": "nowhere", "out": 1}]}', /nowhere\/out.*is not among the \d+ tensors/],
  ])('%s', async (text, says) => {
    const folder: GoldenFolder = {
      ...goldenModel('cogvlm'),
      bytes: (name) =>
        name === 'trace.json'
          ? Promise.resolve(new TextEncoder().encode(text))
          : goldenModel('cogvlm').bytes(name),
    };
    await expect(traceModel(folder, 'float64')).rejects.toThrow(says);
  });

  it('an edit that changes nothing, or more than one place', async () => {
    const entry = 'src/nn/rotary.ts';
    const edit = (file: string, from: string) => importAltered(entry, [{ file, from, to: '' }]);
    await expect(edit(entry, 'no such text')).rejects.toThrow(
      /has 0 times what one edit changes: no such text/,
    );
    await expect(edit(entry, 'cos')).rejects.toThrow(/src\/nn\/rotary\.ts has \d\d? times/);
    await expect(edit('src/cli/main.ts', 'x')).rejects.toThrow(/does not import src\/cli\/main\.ts/);
  });
});
