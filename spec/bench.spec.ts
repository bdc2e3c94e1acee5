/** The bench still runs: its list builds, and every kind of case, made small, is measured on cpu. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchCase } from '../bench/case.ts';
import { benchCases } from '../bench/cases.ts';
import { attention } from '../bench/kernels/attention.ts';
import { matmul, matmulTransposed } from '../bench/kernels/matmul.ts';
import { gelu, layerNorm, rmsNorm, softmax, swiglu } from '../bench/kernels/rows.ts';
import { againstLimit, flopRate, foreseen, limitOf, measure } from '../bench/measure.ts';
import { generationStep, trainingStep } from '../bench/models/cogvlm.ts';
import { layerBackward, layerForward } from '../bench/models/decoder.ts';
import { expertBackward, expertForward } from '../bench/models/expertLayer.ts';
import { gptStep, stepFlops, TINY_GPT } from '../bench/models/gpt.ts';
import { namesOf, threadCounts } from '../bench/options.ts';
import { caseTable } from '../bench/report.ts';
import { compileRoofline } from '../bench/roofline/build.mjs';
import { MEASURED, measurements } from '../bench/roofline/kernels.ts';
import { best } from '../bench/roofline/measure.ts';
import { setBackend } from '../src/index.ts';
import { createCpuBackend } from '../src/kernels/index.ts';
import { hasRelaxedSimd } from '../src/kernels/wasm/features.ts';
import { tinyConfig } from './support/models.ts';

const BUDGET = { seconds: 0.002, limit: 5 };
const LAYER = { width: 8, heads: 2, intermediateSize: 12, tokens: 6 };

const small: readonly BenchCase[] = [
  matmul(3, 4, 5),
  matmulTransposed(1, 4, 5),
  softmax([2, 3, 3], false),
  softmax([2, 3, 3], true),
  layerNorm([3, 4]),
  rmsNorm([3, 4]),
  gelu([3, 4]),
  swiglu([3, 4]),
  attention([1, 2, 3, 4]),
  layerForward(LAYER),
  layerBackward(LAYER),
  expertForward(LAYER),
  expertBackward(LAYER),
  gptStep({ layers: 2, width: 8, heads: 2, intermediateSize: 12, tokens: 4, batch: 2, vocabulary: 7 }),
  trainingStep(tinyConfig()),
  generationStep(tinyConfig()),
];

const backend = createCpuBackend();
beforeAll(async () => {
  await setBackend(backend);
});

/** "decoder layer D 8 …" and "decoder layer D 1024 …" are of one kind. */
const kind = ({ name }: BenchCase) => name.replaceAll(/[\d,×]+/g, '#');

describe('bench', () => {
  it('lists cases with names and work of their own, and no kind that is not tried here', () => {
    const cases = benchCases();
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const { name, work } of cases) expect(work.amount, name).toBeGreaterThan(0);
    expect(new Set(cases.map(kind))).toEqual(new Set(small.map(kind)));
  });

  it.each(small.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const before = backend.memory();
    const row = await measure(one, BUDGET);
    if ('skipped' in row) throw new Error(row.skipped);
    expect(row.backend).toBe('cpu');
    expect(row.samples).toBeGreaterThanOrEqual(3);
    expect(row.median).toBeGreaterThanOrEqual(row.min);
    expect(row.min).toBeGreaterThan(0);
    expect(backend.memory(), 'memory comes back').toEqual(before);
  });

  it('skips what takes too long, beforehand where the rate tells', async () => {
    expect(await flopRate(BUDGET)).toBeGreaterThan(1e6);
    expect(foreseen(matmul(100, 100, 100), BUDGET, 1e6)).toBeNull();
    expect(foreseen(matmul(1000, 1000, 1000), BUDGET, 1e6)).toEqual({
      backend: 'cpu',
      skipped: 'one call takes about 2000 s',
    });
    expect(await measure(small[0], { seconds: 0.002, limit: 1e-9 })).toHaveProperty('skipped');
  });

  it('shows medians with rates and ratios', () => {
    const measured = (backend: string, median: number) => ({
      backend,
      median,
      min: 1,
      margin: 2.5,
      samples: 7,
    });
    const work = { unit: 'FLOP', amount: 1e9 } as const;
    const roofline = { flops: 1e12, read: 1, copy: 1, near: 1 };
    const wasm = againstLimit(measured('wasm', 2), work, roofline);
    const rows = [measured('cpu', 20), wasm, { backend: 'gpujs', skipped: 'why' }];
    expect(caseTable({ case: 'matmul', work, rows })).toEqual([
      'matmul',
      '  backend  median ms      ±  samples          rate  / cpu  / fastest  of limit',
      '  cpu           20.0  2.5 %        7  50.0 GFLOP/s   1.00       10.0',
      '  wasm          2.00  2.5 %        7   500 GFLOP/s  0.100       1.00    50.0 %',
      '  gpujs  skipped: why',
    ]);
  });

  it('measures bytes against copying, a row times a matrix against reading, and steps against nothing', () => {
    const roofline = { flops: 1, read: 2, copy: 3, near: 4 };
    expect(limitOf(gelu([3, 4]).work, roofline)).toBe(3);
    expect(limitOf(matmul(1, 4, 5).work, roofline)).toBe(2);
    expect(limitOf(matmul(2, 4, 5).work, roofline)).toBe(1);
    expect(limitOf({ unit: 'step', amount: 1 }, roofline)).toBeNull();
  });

  it('counts the small GPT of the comparison as 5.4 GFLOP a step', () => {
    expect(stepFlops(TINY_GPT) / 1e9).toBeCloseTo(5.4, 1);
  });

  it('reads lists of threads and names', () => {
    expect(threadCounts('1,2')).toEqual([1, 2]);
    expect(() => threadCounts('2,2')).toThrow('twice');
    expect(() => threadCounts('1,0')).toThrow('whole number above 0');
    expect(namesOf(['a', 'b'])('b,a')).toEqual(['b', 'a']);
    expect(() => namesOf(['a', 'b'])('c')).toThrow('"c" is none of a, b');
  });
});

describe('roofline', () => {
  it('a round is as long as its slowest thread, and the best round counts', () => {
    expect(
      best(1000, [
        [10, 20],
        [30, 5],
      ]),
    ).toBe((2 * 1000) / 0.02);
  });

  it.each([false, true])('reads, copies and computes (relaxed SIMD: %s)', async (relaxed) => {
    expect(!relaxed || hasRelaxedSimd()).toBe(true);
    const work = measurements(await compileRoofline(relaxed));
    expect(Object.keys(work)).toEqual([...MEASURED]);
    expect(work.near.run()).toBe(2 ** 25); // one lane of four: a quarter of the 2²⁷ ones that are added
    expect(work.copy.run()).toBe(1);
    expect(work.tile.run()).toBe(5); // ten sums that start at a half, of products of zeros
    expect(work.chains.run()).toBeCloseTo(12, 3); // twelve chains that end at one
  });
});
