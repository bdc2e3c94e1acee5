/** The bench still runs: its list builds, and every kind of case, made small, is measured on cpu. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchCase } from '../bench/case.ts';
import { benchCases } from '../bench/cases.ts';
import { attention } from '../bench/kernels/attention.ts';
import { matmul, matmulTransposed } from '../bench/kernels/matmul.ts';
import { gelu, layerNorm, rmsNorm, softmax, swiglu } from '../bench/kernels/rows.ts';
import { flopRate, foreseen, measure } from '../bench/measure.ts';
import { generationStep, trainingStep } from '../bench/models/cogvlm.ts';
import { decoderBackward, decoderForward } from '../bench/models/decoder.ts';
import { caseTable } from '../bench/report.ts';
import { createCpuBackend, setBackend } from '../src/index.ts';
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
  decoderForward(LAYER),
  decoderBackward(LAYER),
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
    const rows = [measured('cpu', 20), measured('wasm', 2), { backend: 'gpujs', skipped: 'why' }];
    const report = { case: 'matmul', work: { unit: 'FLOP', amount: 1e9 }, rows } as const;
    expect(caseTable(report)).toEqual([
      'matmul',
      '  backend  median ms      ±  samples          rate  / cpu  / fastest',
      '  cpu           20.0  2.5 %        7  50.0 GFLOP/s   1.00       10.0',
      '  wasm          2.00  2.5 %        7   500 GFLOP/s  0.100       1.00',
      '  gpujs  skipped: why',
    ]);
  });
});
