/** What the kernels promise beyond the results of ops: any memory, any strides, the ends of the number line, refusals. */
import { afterEach, describe, expect, it } from 'vitest';
import type { View } from '../../src/kernels/backend.ts';
import { createCpuBackend, createJsHeap, cpu as shared } from '../../src/kernels/cpu/index.ts';
import { setBackend, Tensor } from '../../src/tensor/index.ts';
import { type Case, caseRng, opCases } from '../../src/verify/cases.ts';
import { sampleTensors } from '../../src/verify/samples.ts';
import { cpu, numbers, on, wave, whole } from './cpuSupport.ts';

afterEach(() => setBackend(shared));

/** Value and gradients of a case, on the backend in use. */
function resultsOf(of: Case): number[][] {
  const { leaves, compute } = of.bind(sampleTensors(of.sample, caseRng(of), 'float64', true));
  const y = compute();
  if (y.requiresGrad) y.backward(Tensor.ones(y.shape, { dtype: y.dtype }));
  return [y, ...leaves.flatMap(({ grad }) => grad ?? [])].map(({ data }) => [...data]);
}

describe('memory that was used before', () => {
  const heap = createJsHeap();
  const dirty = createCpuBackend({
    heap: {
      ...heap,
      allocate(dtype, length, zero) {
        const buffer = heap.allocate(dtype, length, zero);
        if (!zero) buffer.data.fill(dtype === 'bool' ? 1 : 77);
        return buffer;
      },
    },
  });

  it('shows in no result of an op', async () => {
    const cases = opCases();
    const wanted = cases.map(resultsOf);
    await setBackend(dirty);
    for (const [i, of] of cases.entries()) expect(resultsOf(of), `${of.of}/${of.note}`).toEqual(wanted[i]);
  });
});

describe('results of a forward pass that do not lie densely', () => {
  const [y, dy] = [wave([3, 4], 1), wave([3, 4], 2)];

  it.each(['behind an offset', 'axes reversed in memory', 'every third'] as const)('%s', (layout) => {
    const gradients = (view: View): number[][] => [
      numbers(cpu.softmaxBackward(view, on(dy))),
      numbers(cpu.unaryBackward('exp', on(dy), view, on(dy))),
    ];
    expect(gradients(on(y, 'float64', layout))).toEqual(gradients(on(y)));
    const [mean, rstd, weight] = [wave([3, 1], 3), wave([3, 1], 4), on(wave([4], 5))];
    const normed = (statistics: View): number[][] => {
      const { dx, dweight } = cpu.layerNormBackward(on(y), weight, on(mean), statistics, on(dy));
      return [dx, dweight].map(numbers);
    };
    expect(normed(on(rstd, 'float64', layout))).toEqual(normed(on(rstd)));
  });

  it('moments behind an offset', () => {
    const settings = { lr: 0.1, beta1: 0.9, beta2: 0.9, eps: 1, weightDecay: 0, step: 1 };
    const squares = whole([3], [0.5, 2, 1]);
    const step = (layout: 'dense' | 'behind an offset'): number[] => {
      const [p, g] = [on(wave([3], 1)), on(wave([3], 2))];
      const [m, v] = [on(wave([3], 3), 'float64', layout), on(squares, 'float64', layout)];
      cpu.adamw(p, g, m, v, settings);
      return [p, m, v].flatMap(numbers);
    };
    expect(step('behind an offset')).toEqual(step('dense'));
  });
});

describe('ends', () => {
  it('the maximum of nothing is the lowest number, at no place', () => {
    expect(numbers(cpu.max(on(whole([2, 0], [])), 1))).toEqual([-Infinity, -Infinity]);
    expect(numbers(cpu.max(on(whole([1, 0], []), 'int32'), 1))).toEqual([-2147483648]);
    expect(numbers(cpu.argmax(on(whole([2, 0], [])), 1))).toEqual([-1, -1]);
  });

  it('logits of −∞ have the log-sum-exp −∞', () => {
    const logits = on(whole([1, 2], [-Infinity, -Infinity]));
    const { logSumExp } = cpu.crossEntropy(logits, on(whole([1], [0]), 'int32'), -100);
    expect(numbers(logSumExp)).toEqual([-Infinity]);
  });

  it('sigmoid keeps what float64 holds below e^−709', () => {
    const [small] = numbers(cpu.unary('sigmoid', on(whole([1], [-720]))));
    expect(small).toBe(Math.exp(-720));
  });

  it('attention to scores of ±800, whatever their order', () => {
    const attend = (...keys: number[]): number[] => {
      const k = on(whole([1, 1, 2, 1], keys));
      const v = on(whole([1, 1, 2, 1], [1, 2]));
      return numbers(cpu.attention(on(whole([1, 1, 1, 1], [1])), k, v, null, { causal: false }).y);
    };
    expect([attend(800, -800), attend(-800, 800), attend(800, 800)]).toEqual([[1], [2], [1.5]]);
  });

  it('attention looks at no value that is hidden', () => {
    const k = on(whole([1, 1, 2, 1], [1, 1]));
    const v = on(whole([1, 1, 2, 1], [3, Infinity]));
    const visible = on(whole([1, 2], [1, 0]), 'bool');
    const { y } = cpu.attention(on(whole([1, 1, 1, 1], [1])), k, v, visible, { causal: false });
    expect(numbers(y)).toEqual([3]);
  });
});

describe('rows that are not there', () => {
  it('are named, the first too', () => {
    const x = on(wave([2, 3]));
    const index = (...rows: number[]): View => on(whole([rows.length], rows), 'int32');
    expect(() => cpu.gatherRows(x, index(2, 0))).toThrow(
      'gatherRows: index[0] is 2, expected one of the 2 rows 0…1',
    );
    expect(() => cpu.gatherRows(x, index(1, -1))).toThrow('index[1] is -1');
    expect(() => cpu.scatterAddRows(x, index(5, 0), 4)).toThrow('scatterAddRows: index[0] is 5');
  });
});
