/** ONNX's own test cases of its operators, computed by our ops on several backends; and what the docs say of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/backend.ts';
import { openCpu } from '../../src/kernels/cpu/index.ts';
import { createBackend, loadBackend } from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { judge } from '../../src/verify/judge.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import type { Row } from '../../src/verify/row.ts';
import { twinOf } from '../../src/verify/twin/twin.ts';
import { type Spoil, withFault } from '../support/plantedFault.ts';
import { type OnnxManifest, readOnnxManifest, runsHere, verifyOnnx } from './onnx.ts';
import { onnxOps } from './ops.ts';

const FOLDER = goldenFolder(join(import.meta.dirname, '../goldens/onnx'));
/** Cases with float64 in them, which gpujs does not have. */
const NEED_FLOAT64 = 29;
const DOC = join(import.meta.dirname, '../../docs/verification-onnx.md');

async function rowsOn(
  backend: Backend,
  dtype: 'float32' | 'float64',
  ops?: readonly string[],
): Promise<Row[]> {
  await setBackend(backend);
  const rows: Row[] = [];
  const wanted = ops === undefined ? undefined : ({ op }: { op: string }) => ops.includes(op);
  for await (const finding of verifyOnnx(FOLDER, dtype, wanted)) rows.push(judge(finding));
  return rows;
}

const wrong = (rows: readonly Row[]) =>
  rows.flatMap(({ name, of, status, note }) =>
    status === 'OK' ? [] : [`${name} (${of}) ${status}: ${note}`],
  );

let manifest: OnnxManifest;
beforeAll(async () => {
  manifest = await readOnnxManifest(FOLDER);
});
afterAll(() => setBackend('cpu'));

describe('ONNX’s cases', () => {
  for (const [name, dtype, backend] of [
    ['cpu', 'float64', () => loadBackend('cpu')],
    ['cpu', 'float32', () => loadBackend('cpu')],
    ['cpu, strict', 'float32', () => openCpu({ strict: true })],
    ['wasm', 'float32', () => loadBackend('wasm')],
    ['wasm twin', 'float32', async () => twinOf(await loadBackend('wasm'))],
    ['gpujs', 'float32', () => loadBackend('gpujs')],
  ] as const) {
    it(`agree in every output: ${dtype} on ${name}`, async () => {
      const rows = await rowsOn(await backend(), dtype);
      expect(wrong(rows)).toEqual([]);
      const here = manifest.cases.filter(runsHere);
      expect(rows.map(({ name }) => name)).toEqual(
        here.flatMap(({ name, outputs }) => Object.keys(outputs).map((output) => `${name}/${output}`)),
      );
      expect(manifest.cases.length - here.length).toBe(name === 'gpujs' ? NEED_FLOAT64 : 0);
    });
  }

  const scaled: Spoil = (numbers) => {
    for (const [i, value] of numbers.entries()) numbers[i] = value * (1 + 1e-4);
  };
  const turned: Spoil = (numbers) => {
    numbers.reverse();
  };
  for (const [what, kernel, field, spoil, ops] of [
    ['a matmul that is off by 1e-4', 'matmul', '', scaled, ['Gemm', 'MatMul', 'Conv']],
    ['a maximum that is off by 1e-4', 'max', '', scaled, ['ReduceMax', 'MaxPool']],
    ['rows gathered in another order', 'gatherRows', '', turned, ['Gather', 'GatherND', 'Pad']],
    ['a cross entropy that is off by 1e-4', 'crossEntropy', 'loss', scaled, ['SoftmaxCrossEntropyLoss']],
    ['a layer norm that is off by 1e-4', 'layerNorm', 'y', scaled, ['LayerNormalization']],
  ] as const) {
    it(`find ${what}`, async () => {
      const right = openCpu({ strict: true });
      const rows = await rowsOn(withFault(right, kernel, spoil, field), 'float32', ops);
      for (const op of ops) {
        const bad = rows.filter(({ of, status }) => of === op && status === 'DIFF');
        expect(bad, op).not.toEqual([]);
      }
    });
  }

  it('find a result of another dtype', async () => {
    const right = openCpu({ strict: true });
    const argmax: Backend['argmax'] = (x, axis) => right.cast(right.argmax(x, axis), 'float32');
    const rows = await rowsOn({ ...right, argmax }, 'float32', ['ArgMin']);
    const last = rows.find(({ name }) => name === 'node/argmin_default_axis_example/result');
    expect(last?.note).toBe('is float32, expected int32');
  });

  it('leave no memory behind', async () => {
    const backend = await createBackend('wasm', {});
    const rows = await rowsOn(backend, 'float32', [
      'Conv',
      'Add + Gradient',
      'LayerNormalization as a graph',
    ]);
    expect(rows.length).toBe(32 + 3 + 3 * 19);
    expect(backend.memory().buffers).toBe(0);
  });

  it('report an op that throws, and go on', async () => {
    const right = openCpu({ strict: true });
    const matmul = (): never => {
      throw new Error('no products');
    };
    const rows = await rowsOn({ ...right, matmul }, 'float32', ['MatMul', 'Add']);
    const bad = rows.filter(({ status }) => status !== 'OK');
    expect(bad.map(({ of, status }) => `${of} ${status}`)).toEqual([
      'MatMul DIFF',
      'MatMul DIFF',
      'MatMul DIFF',
    ]);
    expect(bad[0].note).toBe('it threw Error: no products');
    expect(rows.length).toBe(10);
  });
});

/** How many entries there are of each key. */
function counted(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

describe('the manifest', () => {
  it('has every case once, covered or left out with a reason', () => {
    const { cases, leftOut } = manifest;
    const names = [...cases, ...leftOut].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const groups = counted(names.map((name) => name.split('/')[0]));
    expect(groups).toEqual({
      node: 932,
      simple: 23,
      'pytorch-operator': 35,
      'pytorch-converted': 82,
      real: 9,
    });
    expect(leftOut.filter(({ op, why }) => op === '' || why === '')).toEqual([]);
  });

  it('uses every operator of the table, and no other', () => {
    const used = new Set(manifest.cases.flatMap(({ nodes }) => nodes.map(({ op }) => op)));
    expect([...used].sort()).toEqual([...onnxOps.keys()].sort());
  });

  it('is refused where it is of another kind', async () => {
    const other = { ...FOLDER, label: 'other', bytes: async () => new TextEncoder().encode('[]') };
    await expect(readOnnxManifest(other)).rejects.toThrow('other/manifest.json is not of kind onnx');
  });
});

describe('docs/verification-onnx.md', () => {
  it('has the counts of the manifest', async () => {
    const text = await readFile(DOC, 'utf8');
    const [covered, leftOut] = text.split('\n## Left out\n');
    const rowsOf = (part: string) => [...part.matchAll(/^\| (.+?) \| (\d+) \| (.+) \|$/gm)];
    const table = (part: string, key: (cells: readonly string[]) => string) =>
      Object.fromEntries(rowsOf(part).map((cells) => [key(cells), Number(cells[2])]));
    expect(table(covered, ([, op]) => op)).toEqual(counted(manifest.cases.map(({ op }) => op)));
    expect(table(leftOut, ([, op, , why]) => `${op}: ${why}`)).toEqual(
      counted(manifest.leftOut.map(({ op, why }) => `${op}: ${why}`)),
    );
    const { cases } = manifest;
    const outputs = cases.reduce((n, of) => n + Object.keys(of.outputs).length, 0);
    const all = cases.length + manifest.leftOut.length;
    expect(text).toContain(
      `**${cases.length} of the ${all} cases run on our ops, and all ${outputs} of their`,
    );
    expect(text).toContain(`no float64, which ${NEED_FLOAT64} cases need`);
    expect(text).toContain(manifest.licence);
  });
});
