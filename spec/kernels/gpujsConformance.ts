/**
 * What every kernel must compute, as cases that any test runner or a page in a browser can run: a backend's results against
 * the cpu backend's, over dense, strided, broadcast and empty views of odd sizes. Waits for results, so that devices that
 * answer later can be asked.
 */
import type { Backend, HostArray, UnaryName, View } from '../../src/kernels/backend.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { denseView, sizeOf, swapLastTwo } from '../../src/kernels/views.ts';

export interface Failure {
  /** The kernel and its operands. */
  readonly what: string;
  /** The first element that is wrong, or the error. */
  readonly message: string;
}

/** One unit in the last place of float32 is between 6e-8 and 1.2e-7 of a number. */
const ULP = 1.2e-7;

/** A view described before there is a backend, so that the same one can be made on two. */
interface Sample {
  readonly data: HostArray;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

interface Case {
  readonly what: string;
  readonly samples: readonly Sample[];
  readonly run: (k: Backend, views: readonly View[]) => View | readonly View[];
  /** Of the greatest expected magnitude, or of each element's own where `relative`. */
  readonly tolerance: number;
  readonly floor?: number;
  readonly relative?: boolean;
}

/** Numbers in (−scale, scale) from a linear congruential generator. */
function numbers(n: number, seed: number, scale = 1): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

function dense(shape: readonly number[], seed: number, scale = 1): Sample {
  return holding(numbers(sizeOf(shape), seed, scale), shape);
}

function holding(data: HostArray, shape: readonly number[]): Sample {
  const { strides, offset } = denseView({ dtype: 'float32', length: data.length }, shape);
  return { data, shape, strides, offset };
}

const ints = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  holding(Int32Array.from(values), shape);

/** The same shape with the axes stored in the order of `storage` (outermost first) and room between the rows. */
function stored(shape: readonly number[], storage: readonly number[], seed: number, scale = 1): Sample {
  const strides = shape.map(() => 0);
  let step = 1;
  for (const axis of [...storage].reverse()) {
    strides[axis] = step;
    step *= shape[axis] + (step === 1 ? 3 : 0);
  }
  return { data: numbers(step + 5, seed, scale), shape, strides, offset: 5 };
}

/** One slice, repeated along the axes named by stride 0. */
function broadcast(sample: Sample, axes: readonly number[]): Sample {
  return { ...sample, strides: sample.strides.map((step, axis) => (axes.includes(axis) ? 0 : step)) };
}

const bools = (n: number, seed: number, above: number) =>
  Uint8Array.from(numbers(n, seed), (x) => Number(x > above));

const layouts = (D: number, seed: number, scale = 1): Sample[] => [
  dense([3, 2, D], seed, scale),
  stored([3, 2, D], [1, 0, 2], seed, scale),
  stored([3, 2, D], [2, 0, 1], seed, scale),
  broadcast(dense([3, 2, D], seed, scale), [0]),
];

function* unaryCases(widths: readonly number[]): Generator<Case> {
  const names = [
    ...(['neg', 'exp', 'sqrt', 'abs', 'sin', 'cos', 'tanh'] as const),
    ...(['erf', 'sigmoid', 'relu', 'silu', 'gelu', 'log'] as const),
  ] satisfies UnaryName[];
  const cpu = createCpuBackend();
  for (const name of names) {
    const positive = name === 'sqrt' || name === 'log';
    // Each element to some units in its own last place; far out gelu carries the rounding of x²/2 in e^(−x²/2), and sin and
    // cos that of x in units of π where they cross 0, which is why they are measured by 1.
    const grid = Float32Array.from({ length: 2001 }, (_, i) => (i - 1000) / 85);
    const axis = positive ? grid.filter((x) => x > 0) : grid;
    const around = name === 'sin' || name === 'cos';
    yield {
      what: `${name}, digits`,
      samples: [holding(axis, [axis.length])],
      run: (k, [x]) => k.unary(name, x),
      tolerance: name === 'gelu' ? 80 * ULP : 6 * ULP,
      relative: !around,
      floor: 1e-36,
    };
    for (const D of widths) {
      for (const sample of layouts(D, D, 4)) {
        const x = positive ? { ...sample, data: sample.data.map(Math.abs) as Float32Array } : sample;
        yield { what: `${name} ${D}`, samples: [x], run: (k, [v]) => k.unary(name, v), tolerance: 3 * ULP };
      }
      const scaled = dense([3, D], 1, positive ? 4 : 9);
      const x = positive ? { ...scaled, data: scaled.data.map(Math.abs) as Float32Array } : scaled;
      const y = { ...x, data: cpu.readSync(cpu.unary(name, on(cpu, x))) };
      yield {
        what: `slope of ${name} ${D}`,
        samples: [x, y, dense([3, D], 2)],
        run: (k, [v, f, dy]) => k.unaryBackward(name, v, f, dy),
        tolerance: 6 * ULP,
      };
    }
  }
}

function* elementwiseCases(widths: readonly number[]): Generator<Case> {
  for (const name of ['add', 'sub', 'mul', 'div', 'maximum', 'pow'] as const) {
    // A quotient may be off by 2.5 units in the last place on a GPU; a power by |b·ln a| of them.
    const tolerance = name === 'pow' ? 12 * ULP : name === 'div' ? 3 * ULP : ULP;
    for (const D of widths.slice(0, 3)) {
      const many = (seed: number) => [
        ...layouts(D, seed),
        ...[[0, 1], [2], [0, 1, 2]].map((axes) => broadcast(dense([3, 2, D], seed), axes)),
      ];
      for (const a of many(1))
        for (const b of many(2)) {
          const base = name === 'pow' ? { ...a, data: a.data.map(Math.abs) as Float32Array } : a;
          yield {
            what: `${name} ${D}`,
            samples: [base, b],
            run: (k, [x, y]) => k.binary(name, x, y),
            tolerance,
          };
        }
    }
    const five = (order: number[], seed: number) => {
      const sample = stored([2, 3, 2, 3, 2], order, seed);
      return name === 'pow' ? { ...sample, data: sample.data.map(Math.abs) as Float32Array } : sample;
    };
    yield {
      what: `${name}, five axes`,
      samples: [five([4, 2, 0, 1, 3], 1), five([1, 3, 0, 4, 2], 2)],
      run: (k, [x, y]) => k.binary(name, x, y),
      tolerance,
    };
    yield {
      what: `${name} of nothing`,
      samples: [dense([0, 3], 1), dense([0, 3], 2)],
      run: (k, [x, y]) => k.binary(name, x, y),
      tolerance,
    };
    const whole = [ints([7, -8, 2 ** 30, 5]), ints([2, 3, 4, 2])];
    yield { what: `${name} int32`, samples: whole, run: (k, [x, y]) => k.binary(name, x, y), tolerance: 0 };
  }
  yield {
    what: 'pow with whole exponents',
    samples: [dense([9], 1, 3), holding(Float32Array.of(2, 3, -1, 0, 1, -2, 7, 20, 5), [9])],
    run: (k, [x, y]) => k.binary('pow', x, y),
    tolerance: 12 * ULP,
    relative: true,
  };
  for (const name of ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const) {
    const a = holding(Float32Array.of(1, 2, 3, -0.5, 0, 4), [2, 3]);
    const b = holding(Float32Array.of(1, 3, 2, -0.5, 1, 4), [2, 3]);
    const run: Case['run'] = (k, [x, y]) => k.compare(name, x, y);
    yield { what: name, samples: [a, b], run, tolerance: 0 };
    yield { what: `${name} by columns`, samples: [a, { ...b, strides: [1, 2] }], run, tolerance: 0 };
    yield { what: `${name} with one`, samples: [a, broadcast(b, [0, 1])], run, tolerance: 0 };
    yield {
      what: `${name} int32`,
      samples: [ints([1, 2, 2 ** 30]), ints([2, 2, 2 ** 30 + 1])],
      run,
      tolerance: 0,
    };
  }
  for (const D of widths) {
    const condition = { ...dense([3, 2, D], 1), data: bools(6 * D, 3, 0) };
    const [a, b, c] = [1, 2, 3].map((seed) => stored([3, 2, D], [1, 0, 2], seed));
    yield {
      what: `where ${D}`,
      samples: [condition, a, dense([3, 2, D], 2)],
      run: (k, [p, x, y]) => k.where(p, x, y),
      tolerance: 0,
    };
    yield {
      what: `swiglu ${D}`,
      samples: [dense([3, 2, D], 1, 9), b],
      run: (k, [g, u]) => k.swiglu(g, u),
      tolerance: 5 * ULP,
    };
    yield {
      what: `swigluBackward ${D}`,
      samples: [dense([3, 2, D], 1, 9), b, c],
      run: (k, [g, u, dy]) => Object.values(k.swigluBackward(g, u, dy)),
      tolerance: 6 * ULP,
    };
  }
  const mixed = [ints([1, 0, 5]), ints([-4, 9, 2 ** 30])];
  yield {
    what: 'where int32',
    samples: [{ ...dense([3], 1), data: Uint8Array.of(1, 0, 1) }, ...mixed],
    run: (k, [p, x, y]) => k.where(p, x, y),
    tolerance: 0,
  };
}

const ORDERS = [
  [0, 1, 2, 3],
  [0, 2, 1, 3],
  [3, 2, 1, 0],
  [2, 3, 0, 1],
  [0, 1, 3, 2],
  [3, 0, 1, 2],
];

function* movementCases(widths: readonly number[]): Generator<Case> {
  const exact = { tolerance: 0 };
  for (const D of widths)
    for (const order of ORDERS) {
      const sample = stored([2, 3, 5, D], order, 1);
      yield { what: `copy ${order} ${D}`, samples: [sample], run: (k, [x]) => k.copy(x), ...exact };
      for (const axis of [0, 1, 2, 3]) {
        const parts = [sample, dense([2, 3, 5, D], 2), sample];
        yield { what: `concat ${axis}`, samples: parts, run: (k, xs) => k.concat(xs, axis), ...exact };
      }
      yield {
        what: `assign ${order} ${D}`,
        samples: [sample, dense([2, 3, 5, D], 2)],
        run: (k, [dst, src]) => {
          k.assign(dst, src);
          return [k.copy(dst), k.copy(denseView(dst.buffer, [dst.buffer.length]))];
        },
        ...exact,
      };
    }
  yield {
    what: 'copy of six axes',
    samples: [stored([2, 2, 2, 2, 2, 3], [4, 2, 0, 5, 1, 3], 1)],
    run: (k, [x]) => k.copy(x),
    ...exact,
  };
  const copy: Case['run'] = (k, [x]) => k.copy(x);
  yield {
    what: 'copy of a broadcast',
    samples: [broadcast(dense([3, 4, 5], 1), [1, 2])],
    run: copy,
    ...exact,
  };
  yield { what: 'copy of nothing', samples: [dense([3, 0, 5], 1)], run: copy, ...exact };
  yield { what: 'copy of a number', samples: [dense([], 1)], run: copy, ...exact };
  yield { what: 'copy of int32', samples: [ints([5, -7, 2 ** 30, 1, 2, 3], [2, 3])], run: copy, ...exact };
  yield { what: 'copy of bool', samples: [holding(bools(9, 1, 0), [9])], run: copy, ...exact };
  yield {
    what: 'assign within one buffer',
    samples: [dense([3, 4], 1)],
    run: (k, [x]) => {
      const half = { ...x, shape: [2, 4] };
      k.assign({ ...half, offset: 4 }, half);
      return k.copy(x);
    },
    ...exact,
  };
  yield {
    what: 'assign to every third column, of one number, of int32',
    samples: [dense([4, 10], 1), dense([1], 2), ints([1, 2, 3, 4]), ints([-5, 2 ** 30])],
    run: (k, [x, one, whole, part]) => {
      k.assign(
        { ...x, shape: [4, 3], strides: [10, 3], offset: 2 },
        { ...one, shape: [4, 3], strides: [0, 0] },
      );
      k.assign({ ...whole, shape: [2], strides: [2], offset: 1 }, part);
      return [k.copy(x), k.copy(whole)];
    },
    ...exact,
  };
  const floats = holding(Float32Array.of(-2.7, -0.5, 0, 0.5, 2.7, 3e4), [2, 3]);
  const whole = ints([-3, 0, 7, 2 ** 24, 2, 1], [2, 3]);
  for (const sample of [floats, { ...floats, strides: [1, 2] }, whole, holding(bools(6, 1, 0), [2, 3])])
    for (const dtype of ['float32', 'int32', 'bool'] as const)
      yield { what: `cast to ${dtype}`, samples: [sample], run: (k, [x]) => k.cast(x, dtype), ...exact };
  for (const dtype of ['float32', 'int32', 'bool'] as const)
    for (const shape of [[], [7], [2, 0], [3, 5]])
      yield { what: `fill ${dtype} [${shape}]`, samples: [], run: (k) => k.fill(shape, 3, dtype), ...exact };
  for (const D of widths) {
    const index = ints([4, 0, 4, 2, 4, 1]);
    const gather: Case['run'] = (k, [x, i]) => k.gatherRows(x, i);
    const scatter: Case['run'] = (k, [x, i]) => k.scatterAddRows(x, i, 7);
    yield { what: `gatherRows ${D}`, samples: [dense([5, D], 1), index], run: gather, ...exact };
    yield {
      what: `gatherRows ${D}`,
      samples: [stored([5, 2, D], [1, 2, 0], 1), index],
      run: gather,
      ...exact,
    };
    yield {
      what: `scatterAddRows ${D}`,
      samples: [dense([6, D], 1), index],
      run: scatter,
      tolerance: 2 * ULP,
    };
    yield {
      what: `scatterAddRows ${D}`,
      samples: [stored([6, D], [1, 0], 1), index],
      run: scatter,
      tolerance: 2 * ULP,
    };
  }
  const none = [dense([0, 3], 1), ints([])];
  yield {
    what: 'scatterAddRows of nothing',
    samples: none,
    run: (k, [x, i]) => k.scatterAddRows(x, i, 2),
    ...exact,
  };
  yield {
    what: 'gatherRows int32',
    samples: [ints([1, 2, 3, 2 ** 30], [2, 2]), ints([1, 1, 0])],
    run: (k, [x, i]) => k.gatherRows(x, i),
    ...exact,
  };
}

function* reductionCases(): Generator<Case> {
  for (const D of [1, 5, 19])
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ])
      for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], []])
        yield {
          what: `sum over ${axes} of ${order} ${D}`,
          samples: [stored([3, 7, D], order, 1)],
          run: (k, [x]) => k.sum(x, axes),
          tolerance: 4 * ULP,
          floor: 1,
        };
  yield {
    what: 'sum of nothing',
    samples: [dense([0, 3], 1)],
    run: (k, [x]) => [k.sum(x, [0]), k.sum(x, [1])],
    tolerance: 0,
  };
  // Stages of 64 numbers of one sign: at most 3 · 64 half units, on average far fewer.
  const long = holding(
    numbers(9009 * 3, 1).map((v) => v + 1),
    [9009, 3],
  );
  yield {
    what: 'long sums',
    samples: [long],
    run: (k, [x]) => [k.sum(x, [0]), k.sum(x, [0, 1])],
    tolerance: 16 * ULP,
  };
  yield {
    what: 'sum int32',
    samples: [ints([1, 2, 2 ** 30, 4], [2, 2])],
    run: (k, [x]) => k.sum(x, [0]),
    tolerance: 0,
  };
  for (const shape of [
    [3, 7, 5],
    [2, 1, 1500],
    [1, 70, 2],
  ])
    for (const axis of [0, 1, 2]) {
      const sample = dense(shape, 1);
      yield {
        what: `max ${shape} ${axis}`,
        samples: [sample],
        run: (k, [x]) => k.max(x, axis),
        tolerance: 0,
      };
      yield {
        what: `argmax ${shape} ${axis}`,
        samples: [sample],
        run: (k, [x]) => k.argmax(x, axis),
        tolerance: 0,
      };
    }
  const ties = stored([4, 6], [1, 0], 1);
  const flat = { ...ties, data: ties.data.map((v) => Math.round(v)) as Float32Array };
  yield { what: 'argmax of ties', samples: [flat], run: (k, [x]) => k.argmax(x, 1), tolerance: 0 };
}

function* matmulCases(): Generator<Case> {
  const sizes = [
    [1, 1, 1],
    [1, 5, 9],
    [9, 5, 1],
    [2, 3, 4],
    [4, 4, 4],
    [5, 63, 7],
    [6, 64, 2],
    [7, 65, 3],
    [33, 129, 17],
    [3, 1500, 2],
  ];
  const transposed = (shape: readonly number[], seed: number): Sample => {
    const { data, shape: size, strides, offset } = dense(shape, seed);
    const view = swapLastTwo({ buffer: { dtype: 'float32', length: 0 }, shape: size, strides, offset });
    return { data, shape: view.shape, strides: view.strides, offset };
  };
  // Σ|a||b| is at most K/4 on average; rounding is below √K half units of it.
  const run: Case['run'] = (k, [a, b]) => k.matmul(a, b);
  const bound = (k: number) => ({ tolerance: 4 * ULP, floor: Math.sqrt(k) });
  for (const [m, k, n] of sizes) {
    const lefts = [dense([m, k], 1), transposed([k, m], 2)];
    const rights = [dense([k, n], 3), transposed([n, k], 4)];
    for (const a of lefts)
      for (const b of rights) yield { what: `matmul ${m} ${k} ${n}`, samples: [a, b], run, ...bound(k) };
  }
  const batches: [string, Sample, Sample][] = [
    ['batch', dense([2, 3, 5, 7], 1), dense([2, 3, 7, 4], 2)],
    ['one right matrix', dense([2, 3, 5, 7], 1), broadcast(dense([2, 3, 7, 4], 2), [0, 1])],
    ['one left matrix', broadcast(dense([2, 3, 5, 7], 1), [0, 1]), dense([2, 3, 7, 4], 2)],
    ['heads that share', dense([2, 2, 3, 5, 7], 1), broadcast(dense([2, 2, 3, 7, 4], 2), [2])],
    ['swapped axes', stored([2, 3, 5, 7], [0, 2, 1, 3], 1), stored([2, 3, 7, 4], [3, 0, 2, 1], 2)],
    [
      'three strange axes',
      stored([2, 2, 2, 3, 4], [2, 1, 0, 3, 4], 1),
      stored([2, 2, 2, 4, 3], [1, 0, 2, 4, 3], 2),
    ],
    ['rows of many', stored([2, 3, 1, 7], [1, 0, 2, 3], 1), broadcast(dense([2, 3, 7, 5], 2), [0, 1])],
    ['single rows', dense([2, 3, 1, 70], 1), dense([2, 3, 70, 9], 2)],
  ];
  for (const [what, a, b] of batches) yield { what: `matmul: ${what}`, samples: [a, b], run, ...bound(7) };
  for (const [m, k, n] of [
    [0, 2, 3],
    [2, 0, 3],
    [2, 3, 0],
  ])
    yield { what: `matmul ${m} ${k} ${n}`, samples: [dense([m, k], 1), dense([k, n], 2)], run, tolerance: 0 };
  yield {
    what: 'matmul int32',
    samples: [ints([1, 2, 3, 4], [2, 2]), ints([5, 6, 7, 8], [2, 2])],
    run,
    tolerance: 0,
  };
}

function* rowCases(widths: readonly number[]): Generator<Case> {
  for (const N of widths) {
    for (const sample of layouts(N, N, 20))
      yield {
        what: `softmax ${N}`,
        samples: [sample],
        run: (k, [x]) => k.softmax(x, { causal: false }),
        tolerance: 6 * ULP,
      };
    for (const M of [1, 3, 8, 9])
      yield {
        what: `softmax, causal ${M} ${N}`,
        samples: [dense([2, M, N], 1, 9)],
        run: (k, [x]) => k.softmax(x, { causal: true }),
        tolerance: 6 * ULP,
      };
    yield {
      what: `softmaxBackward ${N}`,
      samples: [stored([3, 2, N], [1, 0, 2], 1), dense([3, 2, N], 2)],
      run: (k, [p, dy]) => k.softmaxBackward(p, dy),
      tolerance: 6 * ULP,
      floor: 1,
    };
    const targets = ints([0, N - 1, -100, N >> 1]);
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const x = stored([4, N], order, 1, 12);
      yield {
        what: `crossEntropy ${N}`,
        samples: [x, targets],
        run: (k, [v, t]) => Object.values(k.crossEntropy(v, t, -100)),
        tolerance: 4 * ULP,
        floor: 1,
      };
      yield {
        what: `crossEntropyBackward ${N}`,
        samples: [x, targets, dense([4], 3)],
        run: (k, [v, t, dloss]) =>
          k.crossEntropyBackward(v, t, -100, k.crossEntropy(v, t, -100).logSumExp, dloss),
        tolerance: 2e-6,
        floor: 1,
      };
    }
    if (N === 1) continue;
    const [weight, bias] = [dense([N], 5), dense([N], 6)];
    for (const sample of layouts(N, 1, 3)) {
      const x = { ...sample, data: sample.data.map((v) => v + 5) as Float32Array };
      yield {
        what: `layerNorm ${N}`,
        samples: [x, weight, bias],
        run: (k, [v, w, b]) => Object.values(k.layerNorm(v, w, b, 1e-6)),
        tolerance: 2e-6,
      };
      yield {
        what: `rmsNorm ${N}`,
        samples: [x, weight],
        run: (k, [v, w]) => Object.values(k.rmsNorm(v, w, 1e-6)),
        tolerance: 6 * ULP,
      };
    }
    const R = 71;
    const rstd = holding(
      numbers(R, 10).map((v) => v + 2),
      [R, 1],
    );
    const [x, dy] = [dense([R, N], 7, 3), stored([R, N], [1, 0], 8)];
    yield {
      what: `layerNormBackward ${N}`,
      samples: [x, weight, dense([R, 1], 9), rstd, dy],
      run: (k, [v, w, m, r, d]) => Object.values(k.layerNormBackward(v, w, m, r, d)),
      tolerance: 16 * ULP,
    };
    yield {
      what: `rmsNormBackward ${N}`,
      samples: [x, weight, rstd, dy],
      run: (k, [v, w, r, d]) => Object.values(k.rmsNormBackward(v, w, r, d)),
      tolerance: 16 * ULP,
    };
  }
  yield {
    what: 'softmax of nothing',
    samples: [dense([0, 3], 1), dense([3, 0], 1)],
    run: (k, [a, b]) => [k.softmax(a, { causal: false }), k.softmax(b, { causal: false })],
    tolerance: 0,
  };
  const huge = holding(Float32Array.of(1e30, 1e30, 1e30, -1e30, -1e30, -1e30, 2, 2), [4, 2]);
  yield {
    what: 'softmax of rows that see nothing',
    samples: [huge],
    run: (k, [x]) => k.softmax(x, { causal: true }),
    tolerance: 2 * ULP,
  };
}

function* attentionCases(): Generator<Case> {
  const sizes: readonly [string, readonly number[], number, number, boolean][] = [
    ['full', [2, 3, 5, 8], 3, 7, false],
    ['causal', [1, 2, 9, 4], 2, 9, true],
    ['grouped heads', [2, 4, 6, 5], 2, 6, true],
    ['last queries of many keys', [1, 4, 3, 16], 1, 130, true],
    ['one query', [2, 2, 1, 8], 2, 33, true],
    ['no keys', [1, 2, 3, 4], 2, 0, false],
  ];
  for (const [what, shape, kvHeads, S, causal] of sizes) {
    const [B, , , K] = shape;
    const kv = [B, kvHeads, S, K];
    const some = holding(bools(B * S, 5, -0.5), [B, S]);
    const masks = [
      null,
      some,
      { ...some, data: new Uint8Array(B * S) },
      { ...some, data: bools(B * S, 6, 0), strides: [1, B] },
    ];
    for (const order of [ORDERS[0], ORDERS[1], ORDERS[5]])
      for (const visible of masks) {
        const samples = [
          stored(shape, order, 1, 4),
          stored(kv, order, 2),
          stored(kv, order, 3),
          stored(shape, order, 4),
        ];
        yield {
          what: `attention: ${what}, ${order}, mask ${masks.indexOf(visible)}`,
          samples: visible === null ? samples : [...samples, visible],
          run: (k, [q, key, v, dy, shown = null]) => {
            const { y, saved } = k.attention(q, key, v, shown, { causal });
            const { dq, dk, dv } = k.attentionBackward(q, key, v, shown, { causal }, saved, dy);
            return [y, dq, dk, dv];
          },
          tolerance: 3e-6,
          floor: 0.1,
        };
      }
  }
}

function* otherCases(widths: readonly number[]): Generator<Case> {
  for (const K of [2, 6, 8, 32])
    for (const order of [ORDERS[0], ORDERS[1], ORDERS[5]])
      for (const inverse of [false, true])
        yield {
          what: `rotary ${K} ${order}`,
          samples: [
            stored([2, 3, 5, K], order, 1),
            dense([2, 5, K / 2], 2),
            broadcast(dense([2, 5, K / 2], 3), [0]),
          ],
          run: (k, [x, c, s]) => k.rotary(x, c, s, inverse),
          tolerance: 2 * ULP,
        };
  const options = { lr: 1e-2, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1 };
  for (const n of widths)
    yield {
      what: `adamw ${n}`,
      samples: [dense([n], 1), dense([n], 2), dense([n], 3, 0), dense([n], 4, 0)],
      run: (k, [p, g, m, v]) => {
        for (let step = 1; step <= 3; step++) k.adamw(p, g, m, v, { ...options, step });
        return [k.copy(p), k.copy(m), k.copy(v)];
      },
      tolerance: 6 * ULP,
    };
}

function* allCases(widths: readonly number[]): Generator<Case> {
  yield* unaryCases(widths);
  yield* elementwiseCases(widths);
  yield* movementCases(widths.slice(0, 4));
  yield* reductionCases();
  yield* matmulCases();
  yield* rowCases(widths);
  yield* attentionCases();
  yield* otherCases(widths);
}

function on(k: Backend, { data, ...rest }: Sample): View {
  return { buffer: k.upload(data), ...rest };
}

export interface ConformanceOptions {
  /** Fewer widths, for devices on which each kernel takes long. */
  readonly quick?: boolean;
}

/** Runs every case on `backend` and says which failed; none should. Leaves no buffer behind. */
export async function conformance(
  backend: Backend,
  { quick = false }: ConformanceOptions = {},
): Promise<Failure[]> {
  const cpu = createCpuBackend();
  const failures: Failure[] = [];
  for (const one of allCases(quick ? [3, 70] : [1, 3, 4, 5, 17, 70, 515])) {
    cpu.openScope();
    backend.openScope();
    try {
      const message = await failureOf(one, backend, cpu);
      if (message !== undefined) failures.push({ what: one.what, message });
    } catch (error) {
      failures.push({ what: one.what, message: String(error) });
    }
    backend.closeScope(new Set());
    cpu.closeScope(new Set());
  }
  return failures;
}

async function failureOf(one: Case, backend: Backend, cpu: Backend): Promise<string | undefined> {
  const inputs = one.samples.map((sample) => on(backend, sample));
  const before = backend.memory().buffers;
  const got = [one.run(backend, inputs)].flat();
  const made = backend.memory().buffers - before;
  const want = [
    one.run(
      cpu,
      one.samples.map((sample) => on(cpu, sample)),
    ),
  ].flat();
  // `saved` and intermediate results of a case are its own; a kernel may leave nothing else.
  if (made > want.length + 3) return `made ${made} buffers for ${want.length} results`;
  for (const [i, expected] of want.entries()) {
    const wrong = difference(one, got[i], await backend.read(got[i]), expected, cpu.readSync(expected));
    if (wrong !== undefined) return `result ${i}: ${wrong}`;
  }
  return undefined;
}

function difference(
  { tolerance, floor = 1e-30, relative = false }: Case,
  got: View,
  values: HostArray,
  want: View,
  expected: HostArray,
): string | undefined {
  if (String(got.shape) !== String(want.shape)) return `shape [${got.shape}], expected [${want.shape}]`;
  if (got.buffer.dtype !== want.buffer.dtype) return `${got.buffer.dtype}, expected ${want.buffer.dtype}`;
  if (values.length !== expected.length) return `${values.length} elements, expected ${expected.length}`;
  let scale = floor;
  for (const x of expected) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  for (let i = 0; i < expected.length; i++) {
    const allowed = tolerance * (relative ? Math.max(floor, Math.abs(expected[i])) : scale);
    const same = Object.is(values[i], expected[i]) || Math.abs(values[i] - expected[i]) <= allowed;
    if (!same) return `element ${i} of [${want.shape}] is ${values[i]}, expected ${expected[i]} ± ${allowed}`;
  }
  return undefined;
}
