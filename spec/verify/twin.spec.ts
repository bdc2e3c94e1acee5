/** The twin for verification: right to many more digits than its backend, and only as right as the backend's kernels. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend, View } from '../../src/kernels/backend.ts';
import { dataOf } from '../../src/kernels/cpu/host.ts';
import { cpu } from '../../src/kernels/cpu/index.ts';
import {
  bitsOfProducts,
  bitsOfSums,
  floatParts,
  powerAbove,
  unitParts,
} from '../../src/verify/twin/parts.ts';
import { twinOf } from '../../src/verify/twin/twin.ts';
import { broadcast, dense, on, type Sample, stored, variants } from '../kernels/wasmSupport.ts';
import { withFault } from '../support/plantedFault.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 });

describe('parts', () => {
  it('three float32 hold a double', () => {
    fc.assert(
      fc.property(fc.array(finite.filter((x) => Object.is(x, 0) || Math.abs(x) > 1e-20)), (list) => {
        const parts = floatParts(Float64Array.from(list));
        expect(parts.length).toBeLessThanOrEqual(3);
        for (const [i, x] of list.entries())
          expect(parts.reduceRight((sum, part) => sum + part[i], -0)).toBe(x);
      }),
    );
    expect(floatParts(Float64Array.of(0.5, Number.POSITIVE_INFINITY))).toEqual([
      Float32Array.of(0.5, Number.POSITIVE_INFINITY),
    ]);
  });

  it('sums of products of parts are exact in float32, in any order', () => {
    const real = fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((n) => n / 2 ** 30);
    const vector = fc.array(fc.tuple(real, real), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(vector, fc.integer({ min: 0, max: 40 }), (pairs, exponent) => {
        const [a, b] = [0, 1].map((side) => Float64Array.from(pairs, (pair) => pair[side] * 2 ** exponent));
        const bits = bitsOfProducts(pairs.length);
        const [as, bs] = [a, b].map((x) => {
          const max = x.reduce((m, value) => Math.max(m, Math.abs(value)), 0);
          return unitParts(x, new Float64Array(x.length).fill(powerAbove(max)), bits, 3);
        });
        for (const part of as) {
          for (const other of bs) {
            let [forwards, backwards, exact] = [0, 0, 0];
            for (let i = 0; i < part.length; i++) {
              const last = part.length - 1 - i;
              forwards = Math.fround(forwards + Math.fround(part[i] * other[i]));
              backwards = Math.fround(backwards + part[last] * other[last]);
              exact += part[i] * other[i];
            }
            expect([forwards === exact, backwards === exact]).toEqual([true, true]);
          }
        }
      }),
    );
  });

  it('keep the bits that were asked for', () => {
    expect([1, 2, 3, 1024].map(bitsOfSums)).toEqual([24, 23, 22, 14]);
    expect([1, 2, 256, 1024].map(bitsOfProducts)).toEqual([12, 11, 8, 7]);
    const [x, unit] = [Float64Array.of(0.7, -1e-9, 0), Float64Array.of(1, 1, 0)];
    const parts = unitParts(x, unit, 7, 5);
    for (const [i, value] of x.entries()) {
      const sum = parts.reduceRight((total, part) => total + part[i], 0);
      expect(Math.abs(sum - value)).toBeLessThanOrEqual(2 ** -36);
    }
  });
});

const ids = (list: readonly number[]): Sample => ({
  data: Int32Array.from(list),
  shape: [list.length],
  strides: [1],
  offset: 0,
});
const flags = (list: readonly number[], shape: readonly number[], strides: readonly number[]): Sample => ({
  data: Uint8Array.from(list),
  shape,
  strides,
  offset: 0,
});

/** One call of every kernel that the twin takes from its backend, with the result that `field` names. */
interface Call {
  readonly kernel: keyof Backend;
  readonly field?: string;
  readonly operands: readonly Sample[];
  readonly run: (k: Backend, x: readonly View[]) => View;
}

const x = stored([3, 5, 18], [2, 0, 1], 1);
const [w, b] = [dense([18], 2), dense([18], 3)];
const rows = dense([3, 5, 18], 4);
const [q, k, v] = [
  stored([2, 4, 7, 6], [0, 2, 1, 3], 5),
  stored([2, 2, 9, 6], [0, 2, 1, 3], 6),
  dense([2, 2, 9, 6], 7),
];
const visible = flags([1, 1, 0, 1, 1, 1, 1, 1, 1], [2, 9], [0, 1]);
const causal = { causal: true };

const attentionGradient = (field: 'dq' | 'dk' | 'dv'): Call => ({
  kernel: 'attentionBackward',
  field,
  operands: [q, k, v, dense([2, 4, 7, 6], 8), visible],
  run: (backend, [q, k, v, dy, visible]) => {
    const { saved } = backend.attention(q, k, v, visible, causal);
    return backend.attentionBackward(q, k, v, visible, causal, saved, dy)[field];
  },
});
const layerNorm = (field: 'y' | 'mean' | 'rstd'): Call => ({
  kernel: 'layerNorm',
  field,
  operands: [x, w, b],
  run: (backend, [x, w, b]) => backend.layerNorm(x, w, b, 1e-5)[field],
});
const layerNormGradient = (field: 'dx' | 'dweight' | 'dbias'): Call => ({
  kernel: 'layerNormBackward',
  field,
  operands: [x, w, b, rows],
  run: (backend, [x, w, b, dy]) => {
    const { mean, rstd } = backend.layerNorm(x, w, b, 1e-5);
    return backend.layerNormBackward(x, w, mean, rstd, dy)[field];
  },
});
const rmsNormGradient = (field: 'dx' | 'dweight'): Call => ({
  kernel: 'rmsNormBackward',
  field,
  operands: [x, w, rows],
  run: (backend, [x, w, dy]) => backend.rmsNormBackward(x, w, backend.rmsNorm(x, w, 1e-5).rstd, dy)[field],
});

const CALLS: readonly Call[] = [
  { kernel: 'copy', operands: [x], run: (k, [x]) => k.copy(x) },
  { kernel: 'concat', operands: [x, rows], run: (k, parts) => k.concat(parts, 1) },
  {
    kernel: 'gatherRows',
    operands: [rows, ids([2, 0, 2, 1])],
    run: (k, [x, index]) => k.gatherRows(x, index),
  },
  {
    kernel: 'where',
    operands: [flags([1, 0, 1], [3, 5, 18], [1, 0, 0]), x, rows],
    run: (k, [condition, a, b]) => k.where(condition, a, b),
  },
  {
    kernel: 'assign',
    operands: [stored([3, 5, 18], [2, 1, 0], 9), rows],
    run: (k, [dst, src]) => {
      k.assign(dst, src);
      return dst;
    },
  },
  { kernel: 'sum', operands: [x], run: (k, [x]) => k.sum(x, [0, 2]) },
  {
    kernel: 'scatterAddRows',
    operands: [rows, ids([2, 0, 2])],
    run: (k, [x, index]) => k.scatterAddRows(x, index, 4),
  },
  {
    kernel: 'rotary',
    operands: [q, dense([2, 7, 3], 10), dense([2, 7, 3], 11)],
    run: (k, [x, cos, sin]) => k.rotary(x, cos, sin, true),
  },
  {
    kernel: 'matmul',
    operands: [x, broadcast(stored([3, 18, 7], [0, 2, 1], 12), [0])],
    run: (k, [a, b]) => k.matmul(a, b),
  },
  {
    kernel: 'matmul',
    operands: [dense([1, 2050], 13), dense([2050, 3], 14)],
    run: (k, [a, b]) => k.matmul(a, b),
  },
  { kernel: 'max', operands: [x], run: (k, [x]) => k.max(x, 2) },
  { kernel: 'unary', operands: [x], run: (k, [x]) => k.unary('gelu', x) },
  { kernel: 'unaryBackward', operands: [x, rows], run: (k, [x, dy]) => k.unaryBackward('gelu', x, x, dy) },
  {
    kernel: 'binary',
    operands: [x, broadcast(dense([3, 5, 18], 15), [1])],
    run: (k, [a, b]) => k.binary('sub', a, b),
  },
  { kernel: 'softmax', operands: [x], run: (k, [x]) => k.softmax(x, causal) },
  { kernel: 'softmaxBackward', operands: [rows, x], run: (k, [y, dy]) => k.softmaxBackward(y, dy) },
  {
    kernel: 'crossEntropy',
    field: 'loss',
    operands: [dense([4, 9], 16), ids([8, -100, 0, 3])],
    run: (k, [x, targets]) => k.crossEntropy(x, targets, -100).loss,
  },
  {
    kernel: 'crossEntropyBackward',
    operands: [dense([4, 9], 17), ids([8, 7, 0, -100]), dense([4], 18)],
    run: (k, [x, targets, dloss]) =>
      k.crossEntropyBackward(x, targets, -100, k.crossEntropy(x, targets, -100).logSumExp, dloss),
  },
  layerNorm('y'),
  layerNorm('mean'),
  layerNorm('rstd'),
  layerNormGradient('dx'),
  layerNormGradient('dweight'),
  layerNormGradient('dbias'),
  { kernel: 'rmsNorm', field: 'y', operands: [x, w], run: (k, [x, w]) => k.rmsNorm(x, w, 1e-5).y },
  { kernel: 'rmsNorm', field: 'rstd', operands: [x, w], run: (k, [x, w]) => k.rmsNorm(x, w, 1e-5).rstd },
  rmsNormGradient('dx'),
  rmsNormGradient('dweight'),
  { kernel: 'swiglu', operands: [x, rows], run: (k, [gate, up]) => k.swiglu(gate, up) },
  {
    kernel: 'swigluBackward',
    field: 'dgate',
    operands: [x, rows, rows],
    run: (k, [gate, up, dy]) => k.swigluBackward(gate, up, dy).dgate,
  },
  {
    kernel: 'attention',
    field: 'y',
    operands: [q, k, v, visible],
    run: (backend, [q, k, v, visible]) => backend.attention(q, k, v, visible, causal).y,
  },
  attentionGradient('dq'),
  attentionGradient('dk'),
  attentionGradient('dv'),
];

/** The numbers before they are rounded to float32, of a call whose operands have more digits than float32, too. */
function wideResult(backend: Backend, { operands, run }: Call): Float64Array {
  const views = operands.map((sample) => {
    const view = on(backend, sample);
    // A third is no float32: what rounds its operands shows.
    if (view.buffer.dtype === 'float32') for (const [i, n] of dataOf(view).entries()) dataOf(view)[i] = n / 3;
    return view;
  });
  const result = run(backend, views);
  return Float64Array.from(dataOf(result)).slice(result.offset);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i])), 0);
}

for (const { name, wasm } of variants) {
  describe(`the twin of wasm, ${name}`, () => {
    const twin = twinOf(wasm);

    for (const call of CALLS) {
      const what = `${call.kernel}${call.field ? ` ${call.field}` : ''} of [${call.operands[0].shape}]`;

      it(`computes ${what} to 32 bits, and leaves nothing on its backend`, () => {
        const before = wasm.memory();
        const right = wideResult(cpu, call);
        const size = right.reduce((m, value) => Math.max(m, Math.abs(value)), 0);
        expect(size).toBeGreaterThan(0);
        expect(largestDifference(wideResult(twin, call), right) / size).toBeLessThan(2 ** -32);
        expect(wasm.memory()).toEqual(before);
      });

      it(`shows a fault in the last element of ${what}`, () => {
        const fault = 1e-4;
        const spoil = (numbers: Float32Array) => {
          const size = numbers.reduce((m, value) => Math.max(m, Math.abs(value)), 0);
          numbers[numbers.length - 1] += fault * size;
        };
        const faulty = twinOf(withFault(wasm, call.kernel, spoil, call.field));
        const right = wideResult(cpu, call);
        const size = right.reduce((m, value) => Math.max(m, Math.abs(value)), 0);
        expect(largestDifference(wideResult(faulty, call), right) / size).toBeGreaterThan(fault / 2);
      });
    }
  });
}

describe('a twin', () => {
  const twin = twinOf(variants[0].wasm);

  it('leaves float64 and infinities to the host', () => {
    const double = (numbers: number[], shape: number[]): View => ({
      buffer: twin.upload(Float64Array.from(numbers)),
      shape,
      strides: [1, 1],
      offset: 0,
    });
    const product = twin.matmul(double([1 / 3], [1, 1]), double([1 / 7], [1, 1]));
    expect(twin.readSync(product)[0]).toBe(1 / 3 / 7);
    const infinite = on(twin, {
      data: Float32Array.of(1, -1 / 0),
      shape: [1, 2],
      strides: [2, 1],
      offset: 0,
    });
    expect([...twin.readSync(twin.sum(infinite, [1]))]).toEqual([-1 / 0]);
    expect([...twin.readSync(twin.copy(infinite))]).toEqual([1, -1 / 0]);
  });

  it('takes axes of size zero', () => {
    const of = (...shape: number[]) => on(twin, dense(shape, 1));
    expect([...twin.readSync(twin.matmul(of(2, 0), of(0, 2)))]).toEqual([0, 0, 0, 0]);
    expect(twin.matmul(of(0, 3), of(3, 2)).shape).toEqual([0, 2]);
    expect([...twin.readSync(twin.sum(of(2, 0), [1]))]).toEqual([0, 0]);
    expect(twin.softmax(of(0, 3), { causal: false }).shape).toEqual([0, 3]);
    expect(twin.concat([of(2, 0), of(2, 0)], 1).shape).toEqual([2, 0]);
    expect(twin.layerNorm(of(0, 18), on(twin, w), on(twin, b), 1e-5).y.shape).toEqual([0, 18]);
    const { y, saved } = twin.attention(of(1, 2, 0, 6), of(1, 1, 3, 6), of(1, 1, 3, 6), null, causal);
    expect(y.shape).toEqual([1, 2, 0, 6]);
    const [q, k, v, dy] = [of(1, 2, 0, 6), of(1, 1, 3, 6), of(1, 1, 3, 6), of(1, 2, 0, 6)];
    const { dk } = twin.attentionBackward(q, k, v, null, causal, saved, dy);
    expect(twin.readSync(dk).every((x) => x === 0)).toBe(true);
  });

  it('takes over a result that is no number', () => {
    const nan = (numbers: Float32Array) => numbers.fill(Number.NaN);
    const faulty = twinOf(withFault(variants[0].wasm, 'swiglu', nan));
    const [gate, up] = [on(faulty, rows), on(faulty, rows)];
    expect(faulty.readSync(faulty.swiglu(gate, up)).every(Number.isNaN)).toBe(true);
  });
});
