/** The whole model against the original PyTorch code: every tensor of the golden folders. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenFolder } from '../../src/verify/node.ts';
import { summarize, verifyFolder } from '../../src/verify/verify.ts';

const GOLDENS = join(import.meta.dirname, '../goldens');

for (const name of ['cogvlm', 'cogvlm2', 'preprocess']) {
  for (const dtype of ['float64', 'float32'] as const) {
    describe(`${name}, ${dtype}`, () => {
      it('agrees with PyTorch in every tensor', async () => {
        const report = await verifyFolder(goldenFolder(join(GOLDENS, name)), dtype);
        const wrong = report.rows.filter((row) => row.status !== 'OK');
        expect(wrong.map((row) => `${row.name} ${row.status} ${row.error} ${row.note}`)).toEqual([]);
        expect(report.rows.length).toBeGreaterThan(name === 'preprocess' ? 15 : 180);
        const { medianTorchRatio } = summarize(report);
        if (name !== 'preprocess' && dtype === 'float32') expect(medianTorchRatio).toBeLessThan(1);
        console.log(name, dtype, summarize(report));
      });
    });
  }
}
