/**
 * Every op, composed function and module on every backend: value and gradients beside PyTorch's, gradients beside differences, error texts. And
 * nothing is left out: each op has all of them, and samples of every kind.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/data/safetensors/read.ts';
import { bytesSource } from '../../src/data/safetensors/source.ts';
import { writeSafetensors } from '../../src/data/safetensors/write.ts';
import { type BackendName, type BackendOptions, createBackend } from '../../src/kernels/registry.ts';
import { composed } from '../../src/tensor/composed.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { casesByOp } from '../../src/tensor/ops/cases.ts';
import type { Cases, Sample } from '../../src/tensor/sample.ts';
import { type Case, gradientInputs, opCases, opRefusals } from '../../src/verify/cases.ts';
import { functionCases, functionRefusals } from '../../src/verify/functionCases/index.ts';
import { verifyFunctions, verifyModules, verifyOps } from '../../src/verify/functions.ts';
import type { GoldenFolder } from '../../src/verify/golden.ts';
import { moduleCases } from '../../src/verify/moduleCases.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import { torchRatios } from '../../src/verify/report/report.ts';
import type { Check, Row } from '../../src/verify/row.ts';
import type { FloatDType } from '../../src/verify/samples.ts';
import { FLOAT32_EXCEPTIONS, float32Exception } from '../../src/verify/tolerances.ts';
import { withFault } from '../support/plantedFault.ts';
import { rowsOf } from '../support/rows.ts';

const golden = (name: string): GoldenFolder => goldenFolder(join(import.meta.dirname, '../goldens', name));

interface Setting {
  readonly title: string;
  readonly backend: BackendName;
  readonly dtype: FloatDType;
  readonly options?: BackendOptions;
}

const SETTINGS: readonly Setting[] = [
  { title: 'cpu, float64', backend: 'cpu', dtype: 'float64' },
  { title: 'wasm, float64', backend: 'wasm', dtype: 'float64' },
  { title: 'cpu, float32', backend: 'cpu', dtype: 'float32' },
  { title: 'cpu, strict, float32', backend: 'cpu', dtype: 'float32', options: { cpu: { strict: true } } },
  { title: 'wasm, float32', backend: 'wasm', dtype: 'float32' },
  {
    title: 'wasm without fused multiply-add, float32',
    backend: 'wasm',
    dtype: 'float32',
    options: { wasm: { relaxed: false } },
  },
  { title: 'gpujs, float32', backend: 'gpujs', dtype: 'float32' },
];

async function use({ backend, options }: Setting): Promise<void> {
  await setBackend(options === undefined ? backend : await createBackend(backend, options));
}

const wrong = (rows: readonly Row[]) =>
  rows.flatMap(({ name, status, error, note }) =>
    status === 'OK' ? [] : [`${name} ${status} ${error} ${note}`],
  );

const numberOf = (rows: readonly Row[], check: Check) => rows.filter((row) => row.check === check).length;

/** Casts to float64 have no place where it is not. */
const computable = ({ attrs }: Case, { backend }: Setting) =>
  backend !== 'gpujs' || (attrs as { dtype?: string }).dtype !== 'float64';

/** Cases whose result has a gradient. */
const differentiable = (of: Case) =>
  gradientInputs(of).length > 0 &&
  !['int32', 'bool'].includes(String((of.attrs as { dtype?: string }).dtype));

afterAll(() => setBackend('cpu'));

for (const [kind, verify, cases] of [
  ['ops', verifyOps, opCases()],
  ['functions', verifyFunctions, functionCases()],
  ['modules', verifyModules, moduleCases()],
] as const) {
  for (const setting of SETTINGS) {
    describe(`${kind}: ${setting.title}`, () => {
      let rows: Row[] = [];
      beforeAll(async () => {
        await use(setting);
        rows = await rowsOf(verify(golden(kind), setting.dtype));
      }, 600_000);

      it.each([...new Set(cases.map(({ of }) => of))])('%s', (of) => {
        const own = rows.filter((row) => row.of === of);
        expect(wrong(own)).toEqual([]);
        const asked = cases.filter((one) => one.of === of && computable(one, setting));
        expect(numberOf(own, 'value')).toBe(asked.length);
        const gradients = asked.filter(differentiable).flatMap(gradientInputs).length;
        expect(numberOf(own, 'gradient')).toBe(gradients);
        if (setting.dtype === 'float32') return;
        const checked = asked.filter((one) => differentiable(one) && one.sample.noDifferences === undefined);
        expect(numberOf(own, 'gradcheck')).toBe(checked.flatMap(gradientInputs).length);
        const refused = (kind === 'ops' ? opRefusals() : functionRefusals()).filter((one) => one.of === of);
        if (kind !== 'modules') expect(numberOf(own, 'error text')).toBe(refused.length);
        if (kind === 'functions') {
          expect(refused.length > 0 || of === 'logicalNot').toBe(true);
          expect(checked.length > 0).toBe(asked.some(differentiable));
          return;
        }
        expect(gradients).toBeGreaterThan(0);
        expect(checked.length).toBeGreaterThan(0);
        if (kind === 'ops') expect(refused.length).toBeGreaterThan(0);
        const written = kind === 'ops' && Object.hasOwn(composed, of);
        const beside = written ? asked.length + checked.flatMap(gradientInputs).length : 0;
        expect(numberOf(own, 'definition')).toBe(beside);
      });

      it.runIf(setting.dtype === 'float32')('half of all errors are at most PyTorch’s own', () => {
        const ratios = torchRatios(rows, 'float32');
        expect(ratios?.counted).toBeGreaterThan(30);
        expect(ratios?.median).toBeLessThanOrEqual(1);
      });
    });
  }
}

describe('samples', () => {
  const all = Object.entries(casesByOp) as unknown as [string, Cases<unknown>][];
  const some = (op: Pick<Cases<unknown>, 'samples'>, has: (sample: Sample<unknown>) => boolean) =>
    op.samples.some(has);
  const inputs = ({ inputs: given }: Sample<unknown>) => given;
  const sizes = (sample: Sample<unknown>) => inputs(sample).flatMap(({ shape }) => shape);

  const functions = functionCases();
  const named = [...new Set(functions.map(({ of }) => of))].map((name) => {
    const samples = functions.filter(({ of }) => of === name).map(({ sample }) => sample);
    return [name, { samples }] as const;
  });
  const both = [...all, ...named] as [string, Pick<Cases<unknown>, 'samples'>][];

  it.each(both)('of %s have names of their own', (_, { samples }) => {
    expect(new Set(samples.map(({ note }) => note)).size).toBe(samples.length);
  });

  it.each(both)('of %s: dense, in other orders and with gaps, empty, with axes of size 1', (_, op) => {
    const lies = (layout: string) => some(op, (s) => inputs(s).some((input) => input.layout === layout));
    expect({
      dense: some(op, (s) => inputs(s).every(({ layout = 'dense' }) => layout === 'dense')),
      transposed: lies('transposed'),
      strided: lies('strided'),
      empty: some(op, (s) => sizes(s).includes(0)),
      one: some(op, (s) => sizes(s).includes(1)),
    }).toEqual({ dense: true, transposed: true, strided: true, empty: true, one: true });
  });

  /** Ops of several float inputs that may be one and the same. */
  const several = all.filter(([, op]) => some(op, (s) => inputs(s).filter(({ dtype }) => !dtype).length > 1));
  it.each(several)('of %s: one tensor in two places', (_, op) => {
    expect(some(op, (s) => inputs(s).some(({ layout }) => layout === 'same'))).toBe(true);
  });

  /** Largest magnitude a sample may draw or says, or a number that is none. */
  const far = (s: Sample<unknown>) =>
    inputs(s).some(({ values = [], range = [0, 0], dtype }) =>
      [...values, ...range].some((v) => dtype === undefined && !(Math.abs(v) < 9)),
    );
  it.each(all)('of %s: numbers far from 1', (_, op) => expect(some(op, far)).toBe(true));
});

describe('what verification finds', () => {
  const opRows = (dtype: FloatDType) => rowsOf(verifyOps(golden('ops'), dtype));

  it('a kernel that is off in the sixth digit, and only there', async () => {
    const faulty = withFault(await createBackend('wasm', {}), 'rotary', (numbers) => {
      for (const [i, value] of numbers.entries()) numbers[i] = value * (1 + 1e-6);
    });
    await setBackend(faulty);
    const bad = (await opRows('float32')).filter(({ status }) => status !== 'OK');
    expect(new Set(bad.map(({ of }) => of))).toEqual(new Set(['rotary']));
    expect(bad[0].note).toMatch(
      /^\d+ of 24 elements differ \(\d+ %\): largest absolute difference \d\.\d\de-\d+ at \[0,\d,\d,\d\], largest relative/,
    );
    expect(
      new Set(
        (await rowsOf(verifyModules(golden('modules'), 'float32')))
          .filter((r) => r.status !== 'OK')
          .map((r) => r.of),
      ),
    ).toEqual(new Set(['RotaryEmbedding']));
  });

  it.each([
    ['swiglu', 'swigluBackward', 'dup', 'grad.up'],
    ['rmsNorm', 'rmsNorm', 'y', 'out'],
  ] as const)(
    'a kernel of %s that is not what the definition says: %s',
    async (op, kernel, field, result) => {
      const faulty = withFault(await createBackend('cpu', {}), kernel, (numbers) => numbers.fill(0), field);
      await setBackend(faulty);
      const rows = await rowsOf(verifyOps(golden('ops'), 'float64', (name) => name === op));
      const bad = rows.filter(({ status, check }) => status === 'DIFF' && check === 'definition');
      expect(bad.map(({ name }) => name)).toContain(`${op}/plain: ${result} beside its definition`);
    },
  );

  it('a folder that knows nothing of a case, or of another case of that name', async () => {
    await setBackend('cpu');
    const folder = golden('modules');
    const manifest = JSON.parse(new TextDecoder().decode(await folder.bytes('manifest.json')));
    const bias = 'Linear/bias';
    const run = async (cases: unknown) => {
      const changed = {
        ...folder,
        bytes: async () => new TextEncoder().encode(JSON.stringify({ ...manifest, cases })),
      };
      const rows = await rowsOf(verifyModules(changed, 'float64'));
      return rows.filter(({ name }) => name.startsWith(`${bias}:`));
    };
    const { [bias]: own, ...others } = manifest.cases;
    expect(await run(others)).toMatchObject([
      { status: 'MISSING', note: 'PyTorch’s results are missing; make them again: npm run goldens' },
    ]);
    const other = { ...own, attrs: { ...own.attrs, outFeatures: 5 } };
    expect(await run({ ...manifest.cases, [bias]: other })).toMatchObject([
      { status: 'MISSING', note: 'PyTorch got another attrs; make them again: npm run goldens' },
    ]);
    await expect(run(undefined)).rejects.toThrow('manifest.json: cases is no object');
    for (const [metadata, came] of [
      [{ format: '2' }, 'format 2'],
      [{}, 'no format'],
    ] as const) {
      const safetensors = async () => openSafetensors(bytesSource(writeSafetensors([], metadata)));
      await expect(rowsOf(verifyModules({ ...folder, safetensors }, 'float64'))).rejects.toThrow(
        `cases.safetensors has ${came}, expected 1; make it again: npm run goldens`,
      );
    }
  });

  it('says of a result that an exception lets pass, why', async () => {
    await setBackend('wasm');
    const rows = await opRows('float32');
    const noted = rows.filter(({ note }) => note !== '');
    expect(noted.length).toBeGreaterThan(0);
    for (const { of, status, note } of noted) {
      expect(status).toBe('OK');
      expect(FLOAT32_EXCEPTIONS.filter((exception) => exception.of === of).map(({ why }) => why)).toContain(
        note,
      );
    }
  });

  it('exceptions are for the backend, op, check and result they name', () => {
    expect(float32Exception('wasm', 'gelu', 'value', 'out')?.tolerance.ulps).toBe(4);
    expect(float32Exception('wasm', 'gelu', 'gradient', 'grad.x')).toBeUndefined();
    expect(float32Exception('cpu', 'gelu', 'value', 'out')).toBeUndefined();
  });
});
