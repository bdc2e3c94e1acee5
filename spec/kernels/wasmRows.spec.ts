/** Row kernels in parts, accuracy of the functions in units of the last place, comparisons, conversions, maxima. */
import { describe, expect, it } from 'vitest';
import type { BinaryName, CompareName, DType, HostArray, UnaryName } from '../../src/kernels/backend.ts';
import { erf, erfc } from '../../src/kernels/cpu/erf.ts';
import { UNARY } from '../../src/kernels/cpu/unary.ts';
import { denseStrides } from '../../src/kernels/views.ts';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { Binary, Cast, Compare, STRETCH, Unary } from '../../src/kernels/wasm/generated/signatures.ts';
import { instantiate } from '../../src/kernels/wasm/module.ts';
import { cpu, dense, numbers, on, type Sample, stored, variants } from './wasmSupport.ts';

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  1e-45,
  -1e-45,
  1e-40,
  1.17549435e-38,
  88.7,
  -88.7,
  104,
  -104,
  1e5,
  -1e5,
  262145,
  1e10,
  -1e10,
  16777217,
  2147483648,
  -2147483648,
  4294967296,
  6442450944,
  1e20,
  3.4028235e38,
  -3.4028235e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];

function flat(data: HostArray, shape = [data.length]): Sample {
  return { data, shape, strides: denseStrides(shape), offset: 0 };
}

/** Units in the last place of float32 between `got` and `want`; below the normal numbers a unit is 2⁻¹⁴⁹. */
function ulps(got: number, want: number): number {
  if (Object.is(got, Math.fround(want)) || got === Math.fround(want)) return 0;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(want))));
  return Math.abs(got - want) / 2 ** (exponent - 23);
}

/** Worst error in ulp of each function over arguments in (−scale, scale), measured against float64. */
const ACCURACY: readonly (readonly [UnaryName, number, number])[] = [
  ['exp', 87, 1.2],
  ['exp', 1, 1.2],
  ['erf', 4, 2],
  ['sigmoid', 20, 2.5],
  ['silu', 20, 2.5],
  ['tanh', 12, 0.51],
  ['tanh', 1e-3, 0.51],
  ['sin', 10, 0.51],
  ['sin', 3e5, 0.51],
  ['sin', 1e30, 0.51],
  ['cos', 10, 0.51],
  ['cos', 3e5, 0.51],
  ['cos', 1e30, 0.51],
];

describe.each(variants)('row and elementwise kernels, $name', ({ wasm }) => {
  const unary = (name: UnaryName, data: Float32Array) =>
    wasm.readSync(wasm.unary(name, on(wasm, flat(data))));

  it.each(ACCURACY)('%s on ±%d to %d ulp', (name, scale, bound) => {
    const x = numbers(100_003, 7, scale);
    const y = unary(name, x);
    let worst = 0;
    for (let i = 0; i < x.length; i++) worst = Math.max(worst, ulps(y[i], UNARY[name].f(x[i])));
    expect(worst).toBeLessThan(bound);
  });

  it('log to half an ulp, near 1 and over all exponents', () => {
    const near = numbers(50_000, 3, 0.3).map((v) => 1 + v);
    const wide = numbers(50_000, 4, 87).map((v) => Math.exp(v));
    for (const x of [near, wide]) {
      const y = unary('log', x);
      let worst = 0;
      for (let i = 0; i < x.length; i++) worst = Math.max(worst, ulps(y[i], Math.log(x[i])));
      expect(worst).toBeLessThan(0.51);
    }
  });

  it('gelu and its slope: better than 0.5·x·(1 + erf) in float32', () => {
    const x = numbers(100_000, 5, 6);
    const y = unary('gelu', x);
    const ones = new Float32Array(x.length).fill(1);
    const slope = wasm.readSync(
      wasm.unaryBackward(
        'gelu',
        ...([x, y, ones].map((v) => on(wasm, flat(Float32Array.from(v)))) as [never, never, never]),
      ),
    );
    let [mine, plain, steep] = [0, 0, 0];
    const f = Math.fround;
    for (let i = 0; i < x.length; i++) {
      const want = 0.5 * x[i] * erfc(-x[i] * Math.SQRT1_2);
      mine = Math.max(mine, Math.abs(y[i] - want));
      plain = Math.max(plain, Math.abs(f(f(0.5 * x[i]) * f(1 + f(erf(f(x[i] * f(Math.SQRT1_2)))))) - want));
      steep = Math.max(steep, Math.abs(slope[i] - UNARY.gelu.derivative(x[i], want)));
    }
    expect(mine).toBeLessThanOrEqual(plain);
    expect(steep).toBeLessThan(2 * 1.2e-7);
  });

  it.each(Object.keys(UNARY) as UnaryName[])('%s of special values is what cpu says', (name) => {
    const x = Float32Array.from(SPECIAL);
    const got = unary(name, x);
    for (const [i, v] of x.entries()) {
      const want = Math.fround(UNARY[name].f(v));
      // exp(−x²/2) of gelu carries the rounding of x²/2. Beyond e^88.7 the denominators overflow: what is left of σ(x) and x·σ(x) there is below 2e-37.
      const close =
        Object.is(got[i], want) ||
        got[i] === want ||
        Math.abs(got[i] - want) <= (name === 'gelu' ? 8e-7 : 2e-7) * Math.abs(want) + 2e-37;
      expect(close, `${name}(${v}) = ${got[i]}, expected ${want}`).toBe(true);
    }
  });

  it('pow of special values, and to half an ulp', () => {
    const pairs = SPECIAL.flatMap((a) => SPECIAL.map((b) => [a, b]));
    const [a, b] = [0, 1].map((k) => flat(Float32Array.from(pairs, (pair) => pair[k])));
    const run = (be: typeof wasm, name: BinaryName, x: Sample, y: Sample) =>
      be.readSync(be.binary(name, on(be, x), on(be, y)));
    const [got, want] = [run(wasm, 'pow', a, b), run(cpu, 'pow', a, b)];
    for (const [i, w] of want.entries()) {
      const [x, y] = [a.data[i], b.data[i]];
      if (Math.abs(w) <= 1 || !Number.isFinite(w)) expect(got[i], `${x} ** ${y}`).toBe(w);
      else expect(ulps(got[i], x ** y), `${x} ** ${y}`).toBeLessThan(0.51);
    }
    const base = flat(numbers(50_000, 1, 10).map(Math.abs));
    const power = flat(numbers(50_000, 2, 20));
    const y = run(wasm, 'pow', base, power);
    let worst = 0;
    for (let i = 0; i < y.length; i++) {
      const exact = base.data[i] ** power.data[i];
      if (exact < 3e38) worst = Math.max(worst, ulps(y[i], exact));
    }
    expect(worst).toBeLessThan(0.51);
  });

  it.each(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as CompareName[])('compare: %s', (name) => {
    const values = Float32Array.from([...SPECIAL, ...SPECIAL]);
    const other = Float32Array.from(values, (_, i) => SPECIAL[(i * 7) % SPECIAL.length]);
    const both = (x: Sample, y: Sample) => {
      const got = wasm.compare(name, on(wasm, x), on(wasm, y));
      const want = cpu.compare(name, on(cpu, x), on(cpu, y));
      expect([...got.shape]).toEqual([...want.shape]);
      expect([...wasm.readSync(got)]).toEqual([...cpu.readSync(want)]);
    };
    both(flat(values), flat(other));
    both(flat(Int32Array.from(values, (v) => v % 5)), flat(Int32Array.from(other, (v) => v % 5)));
    for (const n of [0, 1, 3, 15, 16, 17, 50]) {
      const single = { data: Float32Array.of(0.25), shape: [n], strides: [0], offset: 0 };
      both(dense([n], 3), single);
      both(single, dense([n], 3));
      both(single, single);
      both(stored([3, n], [1, 0], 1), dense([3, n], 1));
    }
    both(flat(Uint8Array.of(0, 1, 1)), flat(Uint8Array.of(1, 1, 0)));
  });

  it('cast between all dtypes, special values and all lengths', () => {
    const check = (x: Sample, to: DType) => {
      const [got, want] = [wasm.cast(on(wasm, x), to), cpu.cast(on(cpu, x), to)];
      expect(got.buffer.dtype).toBe(to);
      expect([...wasm.readSync(got)]).toEqual([...cpu.readSync(want)]);
    };
    const kinds: readonly DType[] = ['float32', 'int32', 'bool', 'float64'];
    for (const to of kinds) {
      const held = SPECIAL.filter((value) => to !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31));
      check(flat(Float32Array.from([...held, 1.9, -1.9])), to);
      check(flat(Int32Array.of(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 16777217, 33554435)), to);
      for (const n of [0, 1, 15, 16, 17, 40]) {
        check(flat(Uint8Array.from({ length: n }, (_, i) => (i * i) % 2)), to);
        check(flat(numbers(n, 3, 100)), to);
        check(stored([3, n], [1, 0], 1), to);
      }
    }
    check({ data: Uint8Array.of(1, 0, 0, 1, 1, 0), shape: [3, 2], strides: [1, 3], offset: 0 }, 'float32');
  });

  it('max over any axis and argmax: ties, NaN, −∞, nothing', () => {
    const samples: Sample[] = [];
    for (const D of [1, 2, 5, 16, 35]) {
      samples.push(dense([4, 3, D], D), stored([4, 3, D], [2, 0, 1], D));
      const few = numbers(12 * D, D, 3).map(Math.round);
      samples.push(flat(few, [4, 3, D]));
      samples.push(
        flat(
          few.map((v, i) => (i % 11 === 7 ? Number.NaN : v)),
          [4, 3, D],
        ),
      );
    }
    samples.push(
      flat(new Float32Array(12).fill(Number.NEGATIVE_INFINITY), [4, 3, 1]),
      dense([2, 0, 3], 1),
      dense([2, 3, 0], 1),
    );
    for (const x of samples)
      for (const axis of [0, 1, 2]) {
        for (const kernel of ['max', 'argmax'] as const) {
          const [got, want] = [wasm[kernel](on(wasm, x), axis), cpu[kernel](on(cpu, x), axis)];
          expect([...got.shape]).toEqual([...want.shape]);
          const [g, w] = [wasm.readSync(got), cpu.readSync(want)];
          for (let i = 0; i < w.length; i++)
            expect(
              g[i] === w[i] || (Number.isNaN(g[i]) && Number.isNaN(w[i])),
              `${kernel} ${x.shape} ${axis}`,
            ).toBe(true);
        }
      }
  });

  it('softmax of rows with NaN and ∞', () => {
    for (const n of [3, 16, 37])
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        for (const at of [0, n >> 1, n - 1]) {
          const data = numbers(2 * n, n, 5);
          data[at] = odd;
          const run = (be: typeof wasm) =>
            be.readSync(be.softmax(on(be, flat(data, [2, n])), { causal: false }));
          const [got, want] = [run(wasm), run(cpu)];
          for (let i = 0; i < got.length; i++) {
            if (Number.isNaN(want[i])) expect(got[i]).toBeNaN();
            else expect(Math.abs(got[i] - want[i])).toBeLessThan(2.4e-7);
          }
          const nothing = data.fill(Number.NaN, 0, n);
          expect(
            wasm.readSync(wasm.softmax(on(wasm, flat(nothing, [2, n])), { causal: false }))[1],
          ).toBeNaN();
        }
  });
});

/** Threads share rows and elements: a kernel called on parts must give the very bits of one call. */
describe.each([false, ...(hasRelaxedSimd() ? [true] : [])])(
  'kernels in parts, relaxed SIMD %s',
  (relaxed) => {
    const { heap, kernels } = instantiate({ relaxed });
    const put = (data: Float32Array) => {
      const buffer = heap.allocate('float32', data.length, false);
      buffer.data.set(data);
      return buffer.pointer;
    };
    /** Runs `whole` on one result of n float32 and `part` for every two of the cuts on another; both must be the same bits. */
    function same(
      n: number,
      cuts: readonly number[],
      run: (out: number, from: number, to: number) => void,
    ): void {
      const [a, b] = [heap.allocate('float32', n, true), heap.allocate('float32', n, true)];
      run(a.pointer, cuts[0], cuts[cuts.length - 1]);
      for (let i = cuts.length - 1; i > 0; i--) run(b.pointer, cuts[i - 1], cuts[i]);
      const bits = ({ data }: typeof a) => [...new Uint32Array(data.buffer, data.byteOffset, n)];
      expect(bits(b)).toEqual(bits(a));
      heap.release(a);
      heap.release(b);
    }

    const N = 1003;
    const cuts = [0, 4, 12, 500, 504, 996, N];
    const [x, y, z] = [1, 2, 3].map((seed) => put(numbers(N, seed, 5)));

    it('elementwise, from any multiple of 4', () => {
      /** Addresses of element `from` of each array. */
      const at = (from: number) => ({ x: x + 4 * from, y: y + 4 * from, z: z + 4 * from });
      for (const f of Object.values(Unary)) {
        same(N, cuts, (out, from, to) =>
          kernels.unary({ f, n: to - from, x: at(from).x, y: out + 4 * from }),
        );
        same(N, cuts, (out, from, to) => {
          const { x, y, z } = at(from);
          kernels.unaryBackward({ f, n: to - from, x, y, dy: z, dx: out + 4 * from });
        });
      }
      for (const f of Object.values(Binary))
        same(N, cuts, (out, from, to) => {
          const { x: a, y: b } = at(from);
          const one = { n0: 1, n1: 1, n2: 1, a0: 0, a1: 0, a2: 0, a3: 4, b0: 0, b1: 0, b2: 0, b3: 4 };
          kernels.binary({ ...one, f, n3: to - from, a, b, out: out + 4 * from });
        });
      same(N, cuts, (out, from, to) => {
        const { x: gate, y: up } = at(from);
        kernels.swiglu({ n: to - from, gate, up, y: out + 4 * from });
      });
      same(2 * N, cuts, (out, from, to) => {
        const { x: gate, y: up, z: dy } = at(from);
        const [dgate, dup] = [out + 4 * from, out + 4 * (N + from)];
        kernels.swigluBackward({ n: to - from, gate, up, dy, dgate, dup });
      });
      same(N, cuts, (out, from, to) =>
        kernels.cast({ f: Cast.int32ToFloat32, n: to - from, x: at(from).x, y: out + 4 * from }),
      );
      for (const f of Object.values(Compare))
        same(N, cuts, (out, from, to) => {
          const { x: a, y: b } = at(from);
          kernels.compare({ f, n: to - from, a, b, bStep: 4, out: out + from });
        });
      same(N, cuts, (out, from, to) => {
        const { y: a, z: b } = at(from);
        kernels.where({ n: to - from, condition: x + from, a, b, out: out + 4 * from });
      });
    });

    it('sums of columns and of the stretches of a long row', () => {
      const [R, D] = [150, 77];
      const m = put(numbers(R * D, 4));
      same(D, [0, 4, 24, 76, D], (out, from, to) =>
        kernels.sumColumns({ rows: R, n: to - from, x: m + 4 * from, row: 4 * D, y: out + 4 * from }),
      );
      same(D, [0, 4, 24, 76, D], (out, from, to) =>
        kernels.maxColumns({ rows: R, n: to - from, x: m + 4 * from, row: 4 * D, y: out + 4 * from }),
      );
      const long = STRETCH * 3 + 1234;
      const row = put(numbers(long, 5));
      const sums = heap.allocate('float64', 4, false);
      const [whole, parts] = [heap.allocate('float32', 1, false), heap.allocate('float32', 1, false)];
      kernels.sumRows({ rows: 1, n: long, x: row, y: whole.pointer });
      kernels.sumStretches({ from: 2, to: 4, n: long, x: row, sums: sums.pointer });
      kernels.sumStretches({ from: 0, to: 2, n: long, x: row, sums: sums.pointer });
      kernels.addPartials({ count: 4, n: 1, from: sums.pointer, row: 8, y: parts.pointer });
      expect(parts.data[0]).toBe(whole.data[0]);
    });

    it('rows of norms and softmax, and the sums of their gradients whoever takes which rows', () => {
      const [R, D] = [70, 37];
      const m = put(numbers(R * D, 6, 4));
      const dy = put(numbers(R * D, 7));
      const weight = put(numbers(D, 8));
      const stat = put(numbers(R, 9).map((v) => v + 2));
      const rows = [0, 1, 33, 69, R];
      const at = (row: number) => 4 * row * D;
      /** Rows `from` to `to` of m. */
      const some = (from: number, to: number) => ({ rows: to - from, n: D, x: m + at(from) });
      same(R * D, rows, (out, from, to) =>
        kernels.softmax({ ...some(from, to), y: out + at(from), period: 1, ahead: D }),
      );
      same(R * D, rows, (out, from, to) => {
        const { rows, n, x: y } = some(from, to);
        kernels.softmaxBackward({ rows, n, y, dy: dy + at(from), dx: out + at(from) });
      });
      same(R * (D + 2), rows, (out, from, to) => {
        const [mean, rstd] = [out + at(R) + 4 * from, out + at(R) + 4 * (R + from)];
        const affine = { weight, bias: weight, eps: 1e-6 };
        kernels.layerNorm({ ...some(from, to), ...affine, y: out + at(from), mean, rstd });
      });
      same(R * (D + 1), rows, (out, from, to) => {
        const rstd = out + at(R) + 4 * from;
        kernels.rmsNorm({ ...some(from, to), weight, eps: 1e-6, y: out + at(from), rstd });
      });
      const work = heap.allocate('bool', kernels.normBackwardShare({ n: D }), false).pointer;
      same(R * D, rows, (out, from, to) => {
        const stats = { mean: stat + 4 * from, rstd: stat + 4 * from };
        kernels.normBackward({
          ...some(from, to),
          ...stats,
          weight,
          dy: dy + at(from),
          dx: out + at(from),
          work,
        });
      });
    });
  },
);
