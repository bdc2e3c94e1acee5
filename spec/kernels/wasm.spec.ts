import { describe, expect, it } from 'vitest';
import type { Backend, UnaryName, View } from '../../src/kernels/backend.ts';
import {
  broadcast,
  cpu,
  dense,
  expectClose,
  numbers,
  on,
  type Sample,
  stored,
  variants,
} from './wasmSupport.ts';

/** One unit in the last place of float32 is between 6e-8 and 1.2e-7 of a number. */
const ULP = 1.2e-7;
const WIDTHS = [1, 3, 4, 5, 8, 17, 64, 515];

function ints(values: readonly number[], shape = [values.length]): Sample {
  return {
    data: Int32Array.from(values),
    shape,
    strides: shape.length === 1 ? [1] : [shape[1], 1],
    offset: 0,
  };
}

describe.each(variants)('wasm kernels, $name', ({ wasm }) => {
  /** Runs one kernel on both backends and compares everything it returns; nothing may stay behind. */
  function check(
    what: string,
    samples: readonly Sample[],
    run: (backend: Backend, views: readonly View[]) => View | readonly View[],
    tolerance = 2 * ULP,
    floor?: number,
  ): void {
    const before = wasm.memory();
    wasm.openScope();
    cpu.openScope();
    const inputs = samples.map((sample) => on(wasm, sample));
    const made = wasm.memory().buffers;
    const got = [run(wasm, inputs)].flat();
    expect(wasm.memory().buffers - made, `${what}: buffers made`).toBe(got.length);
    const want = [
      run(
        cpu,
        samples.map((sample) => on(cpu, sample)),
      ),
    ].flat();
    want.forEach((w, i) => {
      expectClose(got[i], w, wasm, tolerance, `${what}, result ${i}`, floor);
    });
    wasm.closeScope(new Set());
    cpu.closeScope(new Set());
    expect(wasm.memory()).toEqual(before);
  }

  const layouts = (D: number, seed: number): Sample[] => [
    dense([3, 2, D], seed),
    stored([3, 2, D], [1, 0, 2], seed),
    stored([3, 2, D], [2, 0, 1], seed),
    broadcast(dense([3, 2, D], seed), [0]),
  ];

  const unary: UnaryName[] = [
    'neg',
    'exp',
    'sqrt',
    'abs',
    'erf',
    'sigmoid',
    'relu',
    'silu',
    'gelu',
    'log',
    'tanh',
    'sin',
    'cos',
  ];

  it.each(unary)('%s to the last digits of float32', (name) => {
    const x = Float32Array.from({ length: 40001 }, (_, i) => (i - 20000) / 1700);
    const y = cpu.readSync(cpu.unary(name, { ...on(cpu, { ...dense([1], 1), data: x }), shape: [x.length] }));
    const got = wasm.readSync(
      wasm.unary(name, { ...on(wasm, { ...dense([1], 1), data: x }), shape: [x.length] }),
    );
    // On the left gelu has the relative error of exp(−x²/2): x² and its product with log₂e are rounded, each by half a
    // unit of x²/2, and the fit behind it is half as good as that. On the right, and in other functions, it is not seen.
    const bound = (v: number) => (5 + (name === 'gelu' && v < 0 ? Math.min(75, 0.75 * v ** 2) : 0)) * ULP;
    for (let i = 0; i < x.length; i++) {
      const close =
        Number.isNaN(y[i]) === Number.isNaN(got[i]) &&
        !(Math.abs(got[i] - y[i]) > bound(x[i]) * Math.max(1e-30, Math.abs(y[i])));
      if (!close && got[i] !== y[i]) expect.fail(`${name}(${x[i]}) = ${got[i]}, expected ${y[i]}`);
    }
    for (const D of WIDTHS)
      for (const sample of layouts(D, D)) check(`${name} ${D}`, [sample], (b, [v]) => b.unary(name, v));
  });

  it('exp at the ends of float32', () => {
    const data = Float32Array.from([
      -Infinity,
      -104,
      -103,
      -88,
      -87,
      88.7,
      88.8,
      Infinity,
      Number.NaN,
      0,
      -0,
    ]);
    const y = wasm.readSync(wasm.unary('exp', on(wasm, { data, shape: [11], strides: [1], offset: 0 })));
    for (const [i, v] of y.entries()) {
      const want = Math.fround(Math.exp(data[i]));
      const close = Object.is(v, want) || Math.abs(v - want) <= Math.max(1.5e-45, 1.3 * ULP * want);
      expect(close, `exp(${data[i]}) = ${v}, expected ${want}`).toBe(true);
    }
  });

  it.each(unary)('slope of %s', (name) => {
    for (const D of WIDTHS) {
      const positive = { ...dense([3, D], 1), data: numbers(3 * D, 1, 4).map(Math.abs) };
      const x = name === 'sqrt' || name === 'log' ? positive : dense([3, D], 1, 9);
      // y from the specification, so that both backends start from the same.
      const y = { ...x, data: cpu.readSync(cpu.unary(name, on(cpu, x))) };
      check(
        `${name} ${D}`,
        [x, y, dense([3, D], 2)],
        (be, [v, fv, dy]) => be.unaryBackward(name, v, fv, dy),
        3 * ULP,
      );
    }
  });

  it.each(['add', 'sub', 'mul', 'div', 'maximum', 'pow'] as const)('%s of every mix of layouts', (name) => {
    for (const D of [1, 3, 4, 17]) {
      const many = (seed: number) => [
        ...layouts(D, seed),
        broadcast(dense([3, 2, D], seed), [0, 1]),
        broadcast(dense([3, 2, D], seed), [2]),
        broadcast(dense([3, 2, D], seed), [0, 1, 2]),
      ];
      for (const a of many(1))
        for (const b of many(2)) check(`${name} ${D}`, [a, b], (be, [x, y]) => be.binary(name, x, y), 0);
    }
    const five = (order: number[], seed: number) => stored([2, 3, 2, 3, 2], order, seed, 1);
    check(
      name,
      [five([4, 2, 0, 1, 3], 1), five([1, 3, 0, 4, 2], 2)],
      (be, [x, y]) => be.binary(name, x, y),
      0,
    );
    check(name, [dense([0, 3], 1), dense([0, 3], 2)], (be, [x, y]) => be.binary(name, x, y));
  });

  it('where, swiglu and its gradient', () => {
    for (const D of WIDTHS) {
      const condition = {
        ...dense([3, 2, D], 1),
        data: Uint8Array.from(numbers(6 * D, 3), (v) => Number(v > 0)),
      };
      const [a, b, c] = [1, 2, 3].map((seed) => stored([3, 2, D], [1, 0, 2], seed));
      check('where', [condition, a, dense([3, 2, D], 2)], (be, [p, x, y]) => be.where(p, x, y), 0);
      check('swiglu', [dense([3, 2, D], 1, 9), b], (be, [g, u]) => be.swiglu(g, u), 3 * ULP);
      check(
        'swigluBackward',
        [dense([3, 2, D], 1, 9), b, c],
        (be, [g, u, dy]) => Object.values(be.swigluBackward(g, u, dy)),
        4 * ULP,
      );
    }
  });

  it('copies of permuted, gapped, broadcast and many-axed views; concat; assign', () => {
    for (const D of [1, 3, 4, 5, 33, 70])
      for (const order of [
        [0, 1, 2, 3],
        [0, 2, 1, 3],
        [3, 2, 1, 0],
        [2, 3, 0, 1],
        [0, 1, 3, 2],
        [3, 0, 1, 2],
      ]) {
        const sample = stored([2, 3, 5, D], order, 1);
        check(`copy ${order} ${D}`, [sample], (be, [x]) => be.copy(x), 0);
        for (const axis of [0, 1, 2, 3]) {
          const parts = [sample, dense([2, 3, 5, D], 2), sample];
          check(`concat ${axis}`, parts, (be, xs) => be.concat(xs, axis), 0);
        }
        check(
          `assign ${order} ${D}`,
          [sample, dense([2, 3, 5, D], 2)],
          (be, [dst, src]) => {
            be.assign(dst, src);
            return be.copy(dst);
          },
          0,
        );
      }
    check(
      'copy of six axes',
      [stored([2, 2, 2, 2, 2, 3], [4, 2, 0, 5, 1, 3], 1)],
      (be, [x]) => be.copy(x),
      0,
    );
    check('copy of a broadcast', [broadcast(dense([3, 4, 5], 1), [1, 2])], (be, [x]) => be.copy(x), 0);
    check('copy of nothing', [dense([3, 0, 5], 1)], (be, [x]) => be.copy(x), 0);
    check('copy of int32', [ints([5, -7, 2 ** 30, 1, 2, 3], [2, 3])], (be, [x]) => be.copy(x), 0);
    check(
      'assign within one buffer',
      [dense([3, 4], 1)],
      (be, [x]) => {
        const half = { ...x, shape: [2, 4] };
        be.assign({ ...half, offset: 4 }, half);
        return be.copy(x);
      },
      0,
    );
  });

  it('rows by index', () => {
    for (const D of [1, 3, 8, 70]) {
      const index = ints([4, 0, 4, 2, 4, 1]);
      check('gatherRows', [dense([5, D], 1), index], (be, [x, i]) => be.gatherRows(x, i), 0);
      check('gatherRows', [stored([5, 2, D], [1, 2, 0], 1), index], (be, [x, i]) => be.gatherRows(x, i), 0);
      check('scatterAddRows', [dense([6, D], 1), index], (be, [x, i]) => be.scatterAddRows(x, i, 7));
      check('scatterAddRows', [stored([6, D], [1, 0], 1), index], (be, [x, i]) => be.scatterAddRows(x, i, 7));
    }
    check(
      'gatherRows int32',
      [ints([1, 2, 3, 4], [2, 2]), ints([1, 1, 0])],
      (be, [x, i]) => be.gatherRows(x, i),
      0,
    );
  });

  it('sums over any axes', () => {
    for (const D of [1, 5, 8, 19])
      for (const order of [
        [0, 1, 2],
        [2, 0, 1],
      ])
        for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], []])
          check(`sum ${axes}`, [stored([3, 7, D], order, 1, 0)], (be, [x]) => be.sum(x, axes), 2 * ULP, 1);
    check('sum of nothing', [dense([0, 3], 1)], (be, [x]) => [be.sum(x, [0]), be.sum(x, [1])]);
    const long = { ...dense([100003, 9], 1), data: numbers(900027, 1).map((v) => v + 1) };
    check('long sums', [long], (be, [x]) => [be.sum(x, [0]), be.sum(x, [0, 1])], ULP);
  });

  it('softmax, causal or not, and its gradient', () => {
    for (const N of WIDTHS) {
      for (const sample of layouts(N, 1))
        check(`softmax ${N}`, [{ ...sample, data: numbers(sample.data.length, N, 20) }], (be, [x]) =>
          be.softmax(x, { causal: false }),
        );
      for (const M of [1, 3, 8, 9])
        check(`causal ${M} ${N}`, [dense([2, M, N], 1, 9)], (be, [x]) => be.softmax(x, { causal: true }));
      const y = stored([3, 2, N], [1, 0, 2], 1);
      check(
        `backward ${N}`,
        [y, dense([3, 2, N], 2)],
        (be, [p, dy]) => be.softmaxBackward(p, dy),
        3 * ULP,
        1,
      );
    }
    const hidden = { ...dense([2, 3], 1), data: new Float32Array(6).fill(-Infinity) };
    check('nothing seen', [hidden], (be, [x]) => be.softmax(x, { causal: false }), 0);
  });

  it('cross-entropy and its gradient', () => {
    for (const V of WIDTHS) {
      const targets = ints([0, V - 1, -100, V >> 1]);
      for (const order of [
        [0, 1],
        [1, 0],
      ]) {
        const sample = stored([4, V], order, 1);
        const x = { ...sample, data: numbers(sample.data.length, 1, 12) };
        check('crossEntropy', [x, targets], (be, [v, t]) => Object.values(be.crossEntropy(v, t, -100)));
        check(
          'crossEntropyBackward',
          [x, targets, dense([4], 3)],
          (be, [v, t, dloss]) => {
            const { loss, logSumExp } = be.crossEntropy(v, t, -100);
            const dx = be.crossEntropyBackward(v, t, -100, logSumExp, dloss);
            be.release(loss.buffer);
            be.release(logSumExp.buffer);
            return dx;
          },
          1e-6,
        );
      }
    }
  });

  it('LayerNorm and RMSNorm and their gradients', () => {
    for (const D of WIDTHS.filter((width) => width > 1)) {
      const [weight, bias] = [dense([D], 5), dense([D], 6)];
      for (const sample of layouts(D, 1)) {
        const x = { ...sample, data: numbers(sample.data.length, D, 3).map((v) => v + 5) };
        check(
          'layerNorm',
          [x, weight, bias],
          (be, [v, w, b]) => Object.values(be.layerNorm(v, w, b, 1e-6)),
          1e-6,
        );
        check('rmsNorm', [x, weight], (be, [v, w]) => Object.values(be.rmsNorm(v, w, 1e-6)), 3 * ULP);
      }
      const R = 71;
      const [x, dy] = [dense([R, D], 7, 3), stored([R, D], [1, 0], 8)];
      const [mean, rstd] = [
        dense([R, 1], 9),
        { ...dense([R, 1], 10), data: numbers(R, 1).map((v) => v + 2) },
      ];
      check(
        'layerNormBackward',
        [x, weight, mean, rstd, dy],
        (be, [v, w, m, r, d]) => Object.values(be.layerNormBackward(v, w, m, r, d)),
        6 * ULP,
      );
      check(
        'rmsNormBackward',
        [x, weight, rstd, dy],
        (be, [v, w, r, d]) => Object.values(be.rmsNormBackward(v, w, r, d)),
        6 * ULP,
      );
    }
  });

  it('rotary embedding, both ways', () => {
    for (const K of [2, 6, 8, 32])
      for (const order of [
        [0, 1, 2, 3],
        [0, 2, 1, 3],
        [3, 0, 1, 2],
      ])
        for (const inverse of [false, true]) {
          const [cos, sin] = [dense([2, 5, K / 2], 2), broadcast(dense([2, 5, K / 2], 3), [0])];
          check(
            'rotary',
            [stored([2, 3, 5, K], order, 1), cos, sin],
            (be, [x, c, s]) => be.rotary(x, c, s, inverse),
            2 * ULP,
          );
        }
  });

  it.each([
    ['full', [2, 3, 5, 8], 3, 7, false],
    ['causal', [1, 2, 9, 4], 2, 9, true],
    ['grouped heads', [2, 4, 6, 5], 2, 6, true],
    ['last queries of many keys', [1, 4, 3, 16], 1, 130, true],
    ['one query', [2, 2, 1, 8], 2, 33, true],
    ['many blocks', [1, 2, 150, 12], 1, 150, true],
    ['no keys', [1, 2, 3, 4], 2, 0, false],
  ] as const)('attention and its gradient: %s', (_, shape, kvHeads, S, causal) => {
    const [B, , , K] = shape;
    const kv = [B, kvHeads, S, K];
    const some = { ...dense([B, S], 1), data: Uint8Array.from(numbers(B * S, 5), (x) => Number(x > -0.5)) };
    const none = { ...some, data: new Uint8Array(B * S) };
    const across = {
      ...some,
      data: Uint8Array.from(numbers(B * S, 6), (x) => Number(x > 0)),
      strides: [1, B],
    };
    for (const order of [
      [0, 1, 2, 3],
      [0, 2, 1, 3],
      [3, 0, 1, 2],
    ])
      for (const visible of [null, some, none, across]) {
        const samples = [
          stored(shape, order, 1),
          stored(kv, order, 2),
          stored(kv, order, 3),
          stored(shape, order, 4),
        ];
        samples[0] = { ...samples[0], data: samples[0].data.map((x) => 4 * x) as Float32Array };
        check(
          'attention',
          visible === null ? samples : [...samples, visible],
          (be, [q, k, v, dy, shown = null]) => {
            const { y, saved } = be.attention(q, k, v, shown, { causal });
            const grads = be.attentionBackward(q, k, v, shown, { causal }, saved, dy);
            for (const { buffer } of saved) be.release(buffer);
            return [y, grads.dq, grads.dk, grads.dv];
          },
          1e-6,
          0.1,
        );
      }
  });

  it('AdamW, several steps', () => {
    const options = { lr: 1e-2, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1 };
    for (const n of WIDTHS) {
      const state = [dense([n], 1), dense([n], 2), dense([n], 3, 0), dense([n], 4, 0)];
      check(
        'adamw',
        state,
        (be, [p, g, m, v]) => {
          for (let step = 1; step <= 3; step++) be.adamw(p, g, m, v, { ...options, step });
          return [be.copy(p), be.copy(m), be.copy(v)];
        },
        4 * ULP,
      );
    }
  });
});
