/** cogvlm verify --trace: the table, the verdict, and folders in which something was changed. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, GOLDENS } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-trace-'));
});
afterAll(() => rm(folder, { recursive: true }));

const trace = (...argv: string[]) => cli('verify', '--trace', ...argv);
const MODEL = join(GOLDENS, 'cogvlm');

type Change = (header: string, data: Buffer) => string;

/** A copy of the CogVLM golden whose trace.safetensors has another header, of the same length, or other data. */
async function changedCopy(name: string, change: Change): Promise<string> {
  const copy = join(folder, name);
  await cp(MODEL, copy, { recursive: true });
  const file = join(copy, 'trace.safetensors');
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = bytes.toString('utf8', 8, start);
  const text = change(header, bytes.subarray(start));
  expect(text.length).toBe(header.length);
  bytes.write(text, 8, 'utf8');
  await writeFile(file, bytes);
  return copy;
}

describe('cogvlm verify --trace', () => {
  it('finds both models right, and leaves folders of other kinds out', async () => {
    const { status, out, err } = await trace('--strict', GOLDENS);
    expect([status, err]).toEqual([0, '']);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^module +result +shape +float64 max +mean +float32 max +mean +PyTorch's +status$/,
    );
    const verdicts = lines.filter((line) => line.startsWith(GOLDENS));
    const right = (modules: number) =>
      `position ids, expert mask and all ${modules} modules are right · float64 on cpu, float32 on cpu, strict`;
    expect(verdicts).toEqual([`${MODEL}: ${right(94)}`, `${join(GOLDENS, 'cogvlm2')}: ${right(95)}`]);
    const find = (start: RegExp) => lines.filter((line) => start.test(line));
    expect(find(/^model\.layers\.2\.self_attn +output +\[1,27,64\] .* OK$/)).toHaveLength(1);
    expect(find(/^model\.layers\.2\.self_attn +input gradient +\[1,27,64\] .* OK$/)).toHaveLength(1);
    expect(find(/^position_ids +output +\[1,27\] +0 +0 +0 +0 +- +OK$/)).toHaveLength(1);
    expect(find(/^the whole model +output +\[1,27,320\] .* OK$/)).toHaveLength(1);
  });

  it('names the module of a number that is another one, and shows the numbers', async () => {
    // The first number of model.norm/out, a double, moves by 1e-6 of itself.
    const copy = await changedCopy('number', (header, data) => {
      const [at] = JSON.parse(header)['model.norm/out'].data_offsets as [number];
      data.writeDoubleLE(data.readDoubleLE(at) * (1 + 1e-6), at);
      return header;
    });
    const { status, out } = await trace('--quiet', copy);
    expect(status).toBe(1);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(
      /^model\.norm +output +\[1,27,64\] .* DIFF \(float64: 1 of 1728 elements differ .* \[0,0,0\] is /,
    );
    expect(lines[2]).toBe(`${copy}: the first at fault is model.norm · float64 on cpu, float32 on cpu`);
  });

  it('says which module throws', async () => {
    const copy = await changedCopy('shape', (header) =>
      header.replace(/("model\.norm\/in":\{"dtype":"F32","shape":)\[1,27,64\]/, '$1[1,64,27]'),
    );
    const { status, out } = await trace('--quiet', copy);
    expect(status).toBe(1);
    expect(out).toMatch(
      /^model\.norm +output .* SHAPE \(float64: rmsNorm\(x, weight\): weight: .* In model\.norm\.\)$/m,
    );
    expect(out).toMatch(/^model\.norm +input gradient .* SHAPE /m);
    expect(out).toContain('the first at fault is model.norm ·');
  });

  it('says which module is never called', async () => {
    const copy = await changedCopy('missing', (header) => header.replaceAll('"model.norm/', '"model.name/'));
    const json = join(copy, 'trace.json');
    await writeFile(json, (await readFile(json, 'utf8')).replace('"model.norm"', '"model.name"'));
    const { status, out } = await trace('--quiet', copy);
    expect(status).toBe(1);
    expect(out).toMatch(
      /^model\.name +output .* - +- +- +- .* MISSING \(float64: the model has called no such module\)$/m,
    );
    expect(out).toContain('the first at fault is model.name ·');
  });

  it('fails where there is no trace', async () => {
    const preprocess = join(GOLDENS, 'preprocess');
    expect(await trace(preprocess)).toEqual({
      status: 1,
      out: '',
      err: `cogvlm: ${preprocess} has no trace.json, which verify --trace needs\n`,
    });
    const copy = join(folder, 'none');
    await cp(MODEL, copy, { recursive: true });
    await rm(join(copy, 'trace.json'));
    const { status, out, err } = await trace(copy, MODEL);
    expect([status, err]).toEqual([1, `cogvlm: ${copy} has no trace.json, which verify --trace needs\n`]);
    expect(out).toContain(`${MODEL}: position ids`);
  });
});
