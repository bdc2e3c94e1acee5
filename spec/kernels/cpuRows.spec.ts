/** The fused cpu kernels: values against the textbook formulas, gradients against central differences. */
import { describe, expect, it } from 'vitest';
import type { UnaryName, View } from '../../src/kernels/backend.ts';
import {
  cpu,
  expectGradients,
  expectValues,
  LAYOUTS,
  numbers,
  on,
  repeated,
  wave,
  whole,
} from './cpuSupport.ts';

const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);
const mean = (values: readonly number[]) => total(values) / values.length;
/** Rows of a flat list. */
const rows = (values: readonly number[], D: number) =>
  Array.from({ length: values.length / D }, (_, r) => values.slice(r * D, (r + 1) * D));
const INF = Number.POSITIVE_INFINITY;

describe('derivatives of the functions of one variable', () => {
  const everywhere = wave([9], 1, 3);
  const positive = whole([4], [0.2, 1, 2.5, 7]);
  const inputs: { readonly [Name in UnaryName]: typeof everywhere } = {
    neg: everywhere,
    exp: everywhere,
    log: positive,
    sqrt: positive,
    abs: everywhere,
    sin: everywhere,
    cos: everywhere,
    tanh: everywhere,
    erf: everywhere,
    sigmoid: everywhere,
    relu: everywhere,
    silu: everywhere,
    gelu: everywhere,
  };
  it.each(Object.keys(inputs) as UnaryName[])('%s', (name) => {
    const x = inputs[name];
    const dy = wave(x.shape, 5);
    for (const layout of LAYOUTS) {
      const X = on(x, 'float64', layout);
      const dx = cpu.unaryBackward(name, X, cpu.unary(name, X), on(dy, 'float64', layout));
      expectGradients(([x]) => cpu.unary(name, x), [x], dy, [dx]);
    }
  });

  it.each(['sigmoid', 'silu', 'gelu', 'tanh', 'erf'] as const)('%s is calm far out', (name) => {
    const X = on(whole([2], [800, -800]));
    const dx = cpu.unaryBackward(name, X, cpu.unary(name, X), on(whole([2], [1, 1])));
    const linear = name === 'silu' || name === 'gelu';
    expectValues(dx, whole([2], [linear ? 1 : 0, 0]));
  });
});

describe('softmax', () => {
  const softmax = (x: readonly number[]) => x.map((a) => Math.exp(a) / total(x.map(Math.exp)));

  it.each(LAYOUTS)('of each row: %s', (layout) => {
    const x = wave([2, 3, 4]);
    const y = whole(x.shape, rows(x.values, 4).flatMap(softmax));
    expectValues(cpu.softmax(on(x, 'float64', layout), { causal: false }), y);
  });

  // Row i of M sees the columns up to i + N − M.
  it.each([
    [3, 3],
    [2, 4],
    [1, 3],
    [4, 2],
  ])('causal, %i rows of %i', (M, N) => {
    const x = wave([2, M, N]);
    const expected = rows(x.values, N).flatMap((row, r) => {
      const seen = Math.max(0, (r % M) + N - M + 1);
      return [...softmax(row.slice(0, seen)), ...Array(N - Math.min(seen, N)).fill(0)];
    });
    for (const layout of LAYOUTS)
      expectValues(cpu.softmax(on(x, 'float64', layout), { causal: true }), whole(x.shape, expected));
  });

  it('hides what is behind the diagonal, NaN too', () => {
    const x = on(whole([2, 2], [1, Number.NaN, 3, 3]));
    expectValues(cpu.softmax(x, { causal: true }), whole([2, 2], [1, 0, 0.5, 0.5]));
  });

  it('survives large scores, gives zeros to a row of −∞ and NaN to a row with NaN', () => {
    const x = whole([4, 2], [1000, 1000, -1000, -INF, -INF, -INF, Number.NaN, Number.NaN]);
    const y = whole([4, 2], [0.5, 0.5, 1, 0, 0, 0, Number.NaN, Number.NaN]);
    for (const dtype of ['float32', 'float64'] as const)
      expectValues(cpu.softmax(on(x, dtype), { causal: false }), y);
  });

  it('takes vectors and empty rows', () => {
    expectValues(cpu.softmax(on(whole([2], [0, 0])), { causal: false }), whole([2], [0.5, 0.5]));
    expectValues(cpu.softmax(on(whole([2, 0], [])), { causal: true }), whole([2, 0], []));
    expectValues(cpu.softmax(on(whole([0, 2], [])), { causal: true }), whole([0, 2], []));
  });

  it.each([true, false])('gradient, causal: %s', (causal) => {
    const [x, dy] = [wave([2, 3, 4]), wave([2, 3, 4], 4)];
    for (const layout of LAYOUTS) {
      const dx = cpu.softmaxBackward(cpu.softmax(on(x), { causal }), on(dy, 'float64', layout));
      expectGradients(([x]) => cpu.softmax(x, { causal }), [x], dy, [dx]);
    }
  });
});

describe('cross-entropy', () => {
  const IGNORE = -100;
  const x = wave([4, 5], 2);
  const targets = whole([4], [3, IGNORE, 0, 4]);

  it.each(LAYOUTS)('value and gradient: %s', (layout) => {
    const [X, T] = [on(x, 'float64', layout), on(targets, 'int32', layout)];
    const { loss, logSumExp } = cpu.crossEntropy(X, T, IGNORE);
    const logs = rows(x.values, 5).map((row) => Math.log(total(row.map(Math.exp))));
    expectValues(logSumExp, whole([4], logs));
    const losses = logs.map((log, r) =>
      targets.values[r] === IGNORE ? 0 : log - x.values[r * 5 + targets.values[r]],
    );
    expectValues(loss, whole([4], losses));
    const dloss = wave([4], 3);
    const dx = cpu.crossEntropyBackward(X, T, IGNORE, logSumExp, on(dloss, 'float64', layout));
    expectGradients(([x]) => cpu.crossEntropy(x, T, IGNORE).loss, [x], dloss, [dx]);
  });

  it('an ignored row takes no gradient, not even NaN; dloss may be one repeated number', () => {
    const X = on(whole([2, 2], [0, 0, 0, 0]));
    const T = on(whole([2], [IGNORE, 1]), 'int32');
    const { logSumExp } = cpu.crossEntropy(X, T, IGNORE);
    const nan = on(whole([2], [Number.NaN, 2]));
    expectValues(cpu.crossEntropyBackward(X, T, IGNORE, logSumExp, nan), whole([2, 2], [0, 0, 1, -1]));
    const four = repeated(on(whole([1], [4])), [2], [0]);
    expectValues(cpu.crossEntropyBackward(X, T, IGNORE, logSumExp, four), whole([2, 2], [0, 0, 2, -2]));
  });

  it('survives large logits in float32, and no rows', () => {
    const X = on(whole([1, 2], [1000, 990]), 'float32');
    const { loss } = cpu.crossEntropy(X, on(whole([1], [1]), 'int32'), IGNORE);
    expectValues(loss, whole([1], [10 + Math.log1p(Math.exp(-10))]));
    const none = cpu.crossEntropy(on(whole([0, 3], [])), on(whole([0], []), 'int32'), IGNORE);
    expectValues(none.loss, whole([0], []));
  });
});

describe('norms', () => {
  const D = 5;
  const x = wave([2, 3, D], 1, 4);
  const [weight, bias, dy] = [wave([D], 2), wave([D], 3), wave([2, 3, D], 4)];
  const eps = 1e-2;

  it.each(LAYOUTS)('layerNorm: %s', (layout) => {
    const place = (v: typeof x) => on(v, 'float64', layout);
    const out = cpu.layerNorm(place(x), place(weight), place(bias), eps);
    const means = rows(x.values, D).map(mean);
    const rstds = rows(x.values, D).map(
      (row, r) => 1 / Math.sqrt(mean(row.map((a) => (a - means[r]) ** 2)) + eps),
    );
    const y = x.values.map((a, i) => {
      const [r, j] = [Math.floor(i / D), i % D];
      return (a - means[r]) * rstds[r] * weight.values[j] + bias.values[j];
    });
    expectValues(out.y, whole(x.shape, y), 4);
    expectValues(out.mean, whole([2, 3, 1], means));
    expectValues(out.rstd, whole([2, 3, 1], rstds));
    const back = cpu.layerNormBackward(place(x), place(weight), out.mean, out.rstd, place(dy));
    expectGradients(([x, weight, bias]) => cpu.layerNorm(x, weight, bias, eps).y, [x, weight, bias], dy, [
      back.dx,
      back.dweight,
      back.dbias,
    ]);
  });

  it.each(LAYOUTS)('rmsNorm: %s', (layout) => {
    const place = (v: typeof x) => on(v, 'float64', layout);
    const out = cpu.rmsNorm(place(x), place(weight), eps);
    const rstds = rows(x.values, D).map((row) => 1 / Math.sqrt(mean(row.map((a) => a * a)) + eps));
    expectValues(
      out.y,
      whole(
        x.shape,
        x.values.map((a, i) => weight.values[i % D] * a * rstds[Math.floor(i / D)]),
      ),
      4,
    );
    expectValues(out.rstd, whole([2, 3, 1], rstds));
    const back = cpu.rmsNormBackward(place(x), place(weight), out.rstd, place(dy));
    expectGradients(([x, weight]) => cpu.rmsNorm(x, weight, eps).y, [x, weight], dy, [back.dx, back.dweight]);
  });

  it('takes the variance around the mean, so that a large mean costs no digits', () => {
    const far = on(whole([1, 2], [1e8, 1e8 + 2]));
    const one = on(whole([2], [1, 1]));
    const zero = on(whole([2], [0, 0]));
    expectValues(cpu.layerNorm(far, one, zero, 0).y, whole([1, 2], [-1, 1]));
  });

  it('takes a constant row and no rows', () => {
    const one = on(whole([2], [1, 1]), 'float32');
    const { y } = cpu.layerNorm(on(whole([1, 2], [3, 3]), 'float32'), one, one, 1e-5);
    expectValues(y, whole([1, 2], [1, 1]));
    const none = on(whole([0, 2], []), 'float32');
    const { rstd } = cpu.rmsNorm(none, one, 1e-5);
    expectValues(rstd, whole([0, 1], []));
    expectValues(cpu.rmsNormBackward(none, one, rstd, none).dweight, whole([2], [0, 0]));
  });
});

describe('rotary', () => {
  const [B, H, T, K] = [2, 3, 2, 4];
  const x = wave([B, H, T, K]);
  const angles = wave([B, T, K / 2], 7, 3);
  const cos = whole(angles.shape, angles.values.map(Math.cos));
  const sin = whole(angles.shape, angles.values.map(Math.sin));

  it.each(LAYOUTS)('turns the pair (j, j + K/2) by its angle: %s', (layout) => {
    const place = (v: typeof x) => on(v, 'float64', layout);
    const y = cpu.rotary(place(x), place(cos), place(sin), false);
    const expected = x.values.map((_, i) => {
      const [b, t, k] = [Math.floor(i / (H * T * K)), Math.floor(i / K) % T, i % K];
      const angle = angles.values[(b * T + t) * (K / 2) + (k % (K / 2))];
      const first = i - k + (k % (K / 2));
      // The pair as a complex number, its modulus and its argument.
      const [re, im] = [x.values[first], x.values[first + K / 2]];
      const turned = Math.atan2(im, re) + angle;
      return Math.hypot(re, im) * (k < K / 2 ? Math.cos(turned) : Math.sin(turned));
    });
    expectValues(y, whole(x.shape, expected), 10);
    expectValues(cpu.rotary(y, place(cos), place(sin), true), x, 10);
  });

  it('the inverse is the gradient', () => {
    const dy = wave(x.shape, 3);
    const dx = cpu.rotary(on(dy), on(cos), on(sin), true);
    expectGradients(([x]) => cpu.rotary(x, on(cos), on(sin), false), [x], dy, [dx]);
  });

  it('takes angles that every batch row shares, and no tokens', () => {
    const shared = (v: typeof x) =>
      repeated(on(whole([1, T, K / 2], v.values.slice(0, T * (K / 2)))), [B, T, K / 2], [0]);
    const y = numbers(cpu.rotary(on(x), shared(cos), shared(sin), false));
    const repeat = (v: typeof x) => whole([B, T, K / 2], [...v.values.slice(0, 4), ...v.values.slice(0, 4)]);
    expect(y).toEqual(numbers(cpu.rotary(on(x), on(repeat(cos)), on(repeat(sin)), false)));
    const none = cpu.rotary(
      on(whole([1, 2, 0, 4], [])),
      on(whole([1, 0, 2], [])),
      on(whole([1, 0, 2], [])),
      false,
    );
    expectValues(none, whole([1, 2, 0, 4], []));
  });
});

describe('swiglu', () => {
  it.each(LAYOUTS)('value and gradient: %s', (layout) => {
    const [gate, up, dy] = [wave([3, 4], 1, 3), wave([3, 4], 2), wave([3, 4], 3)];
    const [G, U, DY] = [gate, up, dy].map((v) => on(v, 'float64', layout));
    const expected = gate.values.map((g, i) => (g / (1 + Math.exp(-g))) * up.values[i]);
    expectValues(cpu.swiglu(G, U), whole([3, 4], expected));
    const { dgate, dup } = cpu.swigluBackward(G, U, DY);
    expectGradients(([g, u]) => cpu.swiglu(g, u), [gate, up], dy, [dgate, dup]);
  });
});

describe('adamw', () => {
  const options = { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.5 };

  it('two steps by hand', () => {
    // g = 2, p = 1. Step 1: p ← 0.95·1, m = 0.2, v = 0.04, m̂ = 2, v̂ = 4, p ← 0.95 − 0.1·2/2 = 0.85.
    // Step 2 with g = −1: p ← 0.8075, m = 0.08, v = 0.0496, m̂ = 0.08/0.19, v̂ = 0.0496/0.0199.
    const [p, m, v] = [1, 0, 0].map((value) => on(whole([1], [value])));
    const update = (g: number, step: number) => cpu.adamw(p, on(whole([1], [g])), m, v, { ...options, step });
    update(2, 1);
    expect(numbers(p)[0]).toBeCloseTo(0.85, 8);
    expectValues(cpu.copy(m), whole([1], [0.2]));
    expectValues(cpu.copy(v), whole([1], [0.04]));
    update(-1, 2);
    expect(numbers(p)[0]).toBeCloseTo(0.8075 - (0.1 * (0.08 / 0.19)) / Math.sqrt(0.0496 / 0.0199), 8);
    expectValues(cpu.copy(m), whole([1], [0.08]));
    expectValues(cpu.copy(v), whole([1], [0.0496]));
  });

  it('stays within its view and leaves the gradient alone', () => {
    const buffer = cpu.upload(new Float32Array([7, 1, 2, 7]));
    const inner: View = { buffer, shape: [2], strides: [1], offset: 1 };
    const grad = on(whole([2], [1, -1]), 'float32', 'behind an offset');
    const [m, v] = [cpu.fill([2], 0, 'float32'), cpu.fill([2], 0, 'float32')];
    cpu.adamw(inner, grad, m, v, { ...options, weightDecay: 0, step: 1 });
    expectValues(cpu.copy({ ...inner, shape: [4], offset: 0 }), whole([4], [7, 0.9, 2.1, 7]), 2);
    expect(numbers(grad)).toEqual([1, -1]);
  });
});
