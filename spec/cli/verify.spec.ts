import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpointFolder, writeCheckpointFolder } from '../../src/data/safetensors/node.ts';
import type { Row } from '../../src/verify/row.ts';
import { cli, GOLDENS } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-'));
});
afterAll(() => rm(folder, { recursive: true }));

const verify = (...argv: string[]) => cli('verify', '--backend', 'cpu', ...argv);

/** A copy of a golden folder in which one element of one weight is off by `by`. */
async function spoiledCopy(name: string, weight: string, by: number): Promise<string> {
  const copy = join(folder, `${name}-spoiled`);
  await cp(join(GOLDENS, name), copy, { recursive: true });
  const checkpoint = await openCheckpointFolder(join(copy, 'checkpoint'));
  const entries = [];
  for (const { name: tensor, dtype, shape } of checkpoint.tensors.values()) {
    const { data } = await checkpoint.read(tensor);
    if (tensor === weight) data[0] += by;
    entries.push({ name: tensor, dtype, shape, data });
  }
  await checkpoint.close();
  await writeCheckpointFolder(join(copy, 'checkpoint'), entries);
  return copy;
}

describe('cogvlm verify', () => {
  it('finds nothing wrong in a folder of golden folders, and writes JSON', async () => {
    const file = join(folder, 'report.json');
    const { status, out, err } = await verify('--json', file, GOLDENS);
    expect(err).toBe(
      `${join(GOLDENS, 'onnx')}: ONNX's operator tests run in a clone of the repository: npm run verify -- --only onnx\n`,
    );
    expect(status).toBe(0);
    const report = JSON.parse(await readFile(file, 'utf8'));
    expect(report).toMatchObject({ ok: true, backend: 'cpu', dtype: 'float32' });
    const names = report.folders.map((entry: { folder: string }) => entry.folder.split('/').at(-1));
    expect(names).toEqual(['cogvlm', 'cogvlm2', 'functions', 'modules', 'ops', 'preprocess', 'training']);
    for (const { folder: name, rows, summary } of report.folders) {
      expect(summary).toMatchObject({ ok: rows.length, bad: 0 });
      const printed = out.split('\n').find((line) => line.startsWith(`${name}: OK · `));
      expect(printed).toContain(`${rows.length} of ${rows.length} results agree`);
    }
    const count = report.folders.flatMap(({ rows }: { rows: Row[] }) => rows).length;
    expect(out.split('\n').filter((line) => line.endsWith('  OK'))).toHaveLength(count);
    expect(out).toMatch(/^logits +\[1,\d+,320\] +\S+ +\d\.\d\de-\d+ +OK$/m);
    expect(await readdir(folder)).toEqual(['report.json']);
  });

  it('writes an HTML page of all rows, also of a folder that cannot be read', async () => {
    const file = join(folder, 'report.html');
    const ops = join(GOLDENS, 'modules');
    const good = await verify('--report', file, '--quiet', ops);
    expect([good.status, good.err]).toEqual([0, '']);
    const page = await readFile(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('<title>cogvlm verify: OK</title>');
    expect(page).toContain('RotaryEmbedding/positions of a picture: grad.x');
    const bad = await verify('--report', file, '--quiet', ops, join(folder, 'nowhere'));
    expect(bad.status).toBe(1);
    expect(await readFile(file, 'utf8')).toContain('<title>cogvlm verify: not OK</title>');
    await rm(file);
  });

  it('writes the trace as JSON, and refuses what it has not', async () => {
    const { status, out } = await verify('--trace', '--json', '-', join(GOLDENS, 'cogvlm'));
    expect(status).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ ok: true, backend: 'cpu', folders: [{ fault: null }] });
    expect(report.folders[0].rows.length).toBeGreaterThan(150);
    const refused = await verify('--trace', '--report', 'x.html', join(GOLDENS, 'cogvlm'));
    expect([refused.status, refused.err]).toEqual([2, 'cogvlm: verify: --trace has no --report\n']);
  });

  it('prints only the summary when quiet and nothing is wrong', async () => {
    const { status, out } = await verify('--quiet', '--dtype', 'float64', join(GOLDENS, 'preprocess'));
    expect(status).toBe(0);
    expect(out).toMatch(/^\S+preprocess: OK · .* · float64 on cpu · \S+ s\n$/);
  });

  it('takes the twin of a float32 backend unless it is told not to', async () => {
    const wasm = (...argv: string[]) => cli('verify', '--quiet', '--backend', 'wasm', ...argv);
    const folders = ['cogvlm2', 'modules', 'ops'].map((name) => join(GOLDENS, name));
    const twin = await wasm('--simd', 'plain', '--threads', '1', ...folders);
    expect(twin.status).toBe(0);
    expect(twin.err).toMatch(/^the twin of wasm: .*plain SIMD without fused multiply-add.*\n$/);
    expect(twin.out).toMatch(/^\S+cogvlm2: OK .* float32 on wasm/m);
    const { out: json } = await wasm('--json', '-', join(GOLDENS, 'cogvlm2'), join(GOLDENS, 'modules'));
    const used = JSON.parse(json).folders.map(({ backend }: { backend: string }) => backend);
    expect(used).toEqual(['wasm twin', 'wasm']);
    const plain = await wasm('--plain', join(GOLDENS, 'cogvlm2'));
    expect(plain.err).toBe('');
    const medianOf = (out: string) => Number(/cogvlm2: .* median error (\S+) ×/.exec(out)?.[1]);
    expect(medianOf(twin.out)).toBeLessThan(medianOf(plain.out) / 10);
    const double = await wasm('--dtype', 'float64', join(GOLDENS, 'cogvlm2'));
    expect([double.status, double.err]).toEqual([0, '']);
  });

  it('names the rows that a spoiled weight makes wrong', async () => {
    const weight = 'model.layers.2.mlp.language_mlp.down_proj.weight';
    const copy = await spoiledCopy('cogvlm', weight, 0.05);
    const { status, out } = await verify('--json', '-', copy);
    expect(status).toBe(1);
    const [report] = JSON.parse(out).folders;
    const statusOf = new Map(report.rows.map((row: Row) => [row.name, row.status]));
    for (const name of [
      'act.model.layers.2.mlp.language_mlp',
      'act.model.layers.2',
      'logits',
      'loss',
      'batch.logits',
      'text_only.logits',
      'generate.step_logits',
      'checkpoint-bf16',
    ]) {
      expect(statusOf.get(name), name).toBe('DIFF');
    }
    for (const name of [
      'pixel_values.image0.png',
      'position_ids',
      'act.model.vision',
      'act.model.layers.1',
      'act.model.layers.2.self_attn',
      'act.model.layers.2.mlp.vision_mlp',
    ]) {
      expect(statusOf.get(name), name).toBe('OK');
    }

    const quiet = await verify('--quiet', copy);
    expect(quiet.status).toBe(1);
    expect(quiet.out).toMatch(/^logits .* DIFF\n {4}\d+ of 8640 elements differ \(\d+ %\): .*allowed /m);
    expect(quiet.out).not.toMatch(/^position_ids /m);
    expect(quiet.out).toContain(`${copy}: NOT OK · `);
  });

  it('goes on after a folder that cannot be read', async () => {
    const nowhere = join(folder, 'nowhere');
    const damaged = join(folder, 'damaged');
    await cp(join(GOLDENS, 'preprocess'), damaged, { recursive: true });
    await writeFile(join(damaged, 'manifest.json'), '{');
    const { status, out, err } = await verify(nowhere, damaged, join(GOLDENS, 'preprocess'));
    expect(status).toBe(1);
    expect(err).toMatch(
      /^cogvlm: \S+nowhere: cannot read the folder: .*\ncogvlm: \S+damaged\S* .*not JSON.*\n$/,
    );
    expect(out).toContain('preprocess: OK');
  });

  it('says that a folder is no golden folder', async () => {
    const { status, err } = await verify(join(GOLDENS, 'cogvlm/checkpoint'));
    expect(status).toBe(1);
    expect(err).toContain('no golden folder');
  });

  it('fails where nothing is left to verify', async () => {
    const { status, out, err } = await verify(join(GOLDENS, 'onnx'));
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(/onnx: ONNX's operator tests run .*\ncogvlm: verify: nothing was verified\n$/);
  });

  it('says where the report cannot be written', async () => {
    const file = join(folder, 'no/such/folder.json');
    const { status, err } = await verify('--json', file, join(GOLDENS, 'preprocess'));
    expect(status).toBe(1);
    expect(err).toContain(`${file} cannot be written`);
  });
});
