/** Every primitive, from its own record: value, gradient, second dtype, error text. */
import { describe, expect, it } from 'vitest';
import { apply, type Tensor } from '../../src/tensor/index.ts';
import type { Op } from '../../src/tensor/op.ts';
import { type OpName, ops } from '../../src/tensor/ops/index.ts';
import { gradcheck } from '../support/gradcheck.ts';
import { sampleTensors } from '../support/samples.ts';

for (const [name, record] of Object.entries(ops)) {
  const op = record as Op<unknown>;
  const call = (inputs: readonly Tensor[], attrs: unknown) => apply(name as OpName, inputs, attrs as never);
  describe(name, () => {
    it('is recorded under its own name', () => expect(op.name).toBe(name));

    for (const [i, sample] of op.samples.entries()) {
      it(`gradient: ${sample.note}`, () => {
        const inputs = sampleTensors(sample, 100 + i, 'float64', true);
        const y = call(inputs, sample.attrs);
        if (y.dtype === 'float64') gradcheck(() => call(inputs, sample.attrs), inputs);
        else expect(() => y.backward(y)).toThrow();
      });

      it(`float32 ≈ float64, no NaN: ${sample.note}`, () => {
        const exact = call(sampleTensors(sample, 100 + i), sample.attrs);
        const single = call(sampleTensors(sample, 100 + i, 'float32'), sample.attrs);
        expect(single.shape).toEqual(exact.shape);
        const [p, q] = [exact.data, single.data];
        for (let j = 0; j < p.length; j++) {
          expect(Math.abs(p[j] - q[j]), `element ${j}: ${p[j]} and ${q[j]}`).toBeLessThanOrEqual(
            3e-6 * Math.max(1, Math.abs(p[j])),
          );
        }
      });
    }

    for (const sample of op.errors) {
      it(`error: ${sample.note}`, () => {
        const inputs = sampleTensors(sample, 1);
        let thrown: unknown;
        try {
          call(inputs, sample.attrs);
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(Error);
        expect((thrown as Error).name).toBe(sample.error);
        expect((thrown as Error).message).toContain(sample.says);
      });
    }
  });
}
