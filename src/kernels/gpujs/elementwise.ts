/** Kernels of one thread per element: functions, comparisons, choices, SwiGLU, and the update of AdamW. */
import type { Backend, BinaryName, CompareName, UnaryName, View } from '../backend.ts';
import type { Engine } from './engine.ts';
import { erf, exp, log, normalCdf, sigmoid, sinCos, tanh } from './functions.ts';
import { family, program } from './program.ts';

interface UnaryText {
  /** Declares y = f(x). */
  readonly f: string;
  /** Declares d = f′(x), given x and y. */
  readonly slope: string;
}

const LET = (name: string, value: string) => `const ${name} = ${value};`;

const UNARY: { readonly [N in UnaryName]: UnaryText } = {
  neg: { f: LET('y', '-x'), slope: LET('d', '0.0 - 1.0') },
  exp: { f: exp('y', 'x'), slope: LET('d', 'y') },
  log: { f: log('y', 'x'), slope: LET('d', '1.0 / x') },
  sqrt: { f: LET('y', 'Math.sqrt(x)'), slope: LET('d', '0.5 / y') },
  abs: {
    f: LET('y', 'Math.abs(x)'),
    slope: `let d = 0.0; if (x > 0) { d = 1.0; } if (x < 0) { d = 0.0 - 1.0; }`,
  },
  sin: { f: `${sinCos('v', 'x')} const y = vs;`, slope: `${sinCos('v', 'x')} const d = vc;` },
  cos: { f: `${sinCos('v', 'x')} const y = vc;`, slope: `${sinCos('v', 'x')} const d = 0.0 - vs;` },
  tanh: { f: tanh('y', 'x'), slope: LET('d', '1.0 - y * y') },
  erf: {
    f: erf('y', 'x'),
    slope: `const s = 0.0 - x * x;${exp('e', 's')} const d = 1.1283791670955126 * e;`,
  },
  sigmoid: { f: sigmoid('y', 'x'), slope: LET('d', 'y * (1.0 - y)') },
  relu: { f: LET('y', 'Math.max(x, 0.0)'), slope: 'let d = 1.0; if (x <= 0) { d = 0.0; }' },
  silu: {
    f: `${sigmoid('g', 'x')} const y = x * g;`,
    // (xσ)′ = σ + xσ(1 − σ), with 1 − σ(x) = σ(−x)
    slope: `const minus = 0.0 - x;${sigmoid('g', 'x')}${sigmoid('h', 'minus')} const d = g * (1.0 + x * h);`,
  },
  gelu: {
    f: `${normalCdf('g', 'x')} const y = x * g;`,
    slope: `${normalCdf('g', 'x')} const d = g + x * (gb * 0.3989422804014327);`,
  },
};

const unaryProgram = family<UnaryName>((name) =>
  program(`unary_${name}`, {
    arrays: ['a'],
    body: `const x = a[this.thread.x + aAt];\n${UNARY[name].f}\nreturn y;`,
  }),
);

const slopeProgram = family<UnaryName>((name) =>
  program(`slope_${name}`, {
    arrays: ['a', 'b', 'dy'],
    body: `const x = a[this.thread.x + aAt];
  const y = b[this.thread.x + bAt];
  ${UNARY[name].slope}
  return dy[this.thread.x + dyAt] * d;`,
  }),
);

/**
 * aᵇ: a whole b to 64 by squaring, else e^(b·ln |a|), whose relative error grows with |b·ln a|; the sign of a, −0 included, where b
 * is an odd whole number, and no number where b is not whole (∞ᵇ has none: |a| counts alone).
 */
const POW = `
  const m = Math.abs(x);
  const n = Math.abs(z);
  const whole = Math.floor(n);
  const odd = whole - 2.0 * Math.floor(whole * 0.5);
  let y = 1.0;
  if (n === whole && n <= 64) {
    let factor = x;
    let left = whole;
    for (let i = 0; i < 7; i++) {
      const half = Math.floor(left * 0.5);
      if (left > 2.0 * half) { y = y * factor; }
      factor = factor * factor;
      left = half;
    }
    if (z < 0) { y = 1.0 / y; }
  } else {
    ${log('l', 'm')}
    const t = z * l;
    ${exp('e', 't')}
    y = e;
    if (m === 1 && n > 3.4e38) { y = 1.0; }
    if (x === 1) { y = 1.0; }
    if (x < 0 && n > whole && m < 3.4e38) { y = Math.sqrt(x); }
    if (n === whole && odd > 0 && n < 16777216) {
      if (x < 0 || 1.0 / x < 0) { y = 0.0 - e; }
    }
  }`;

const BINARY: { readonly [N in BinaryName]: string } = {
  add: LET('y', 'x + z'),
  sub: LET('y', 'x - z'),
  mul: LET('y', 'x * z'),
  div: LET('y', 'x / z'),
  pow: POW,
  maximum: LET('y', 'Math.max(x, z)'),
};

const COMPARE: { readonly [N in CompareName]: string } = {
  eq: 'x === z',
  ne: 'x !== z',
  lt: 'x < z',
  le: 'x <= z',
  gt: 'x > z',
  ge: 'x >= z',
};

/** The operands' steps are 1, or 0 where one number stands for all. */
const OPERANDS = { arrays: ['a', 'b'], integers: ['aStep', 'bStep'] };
const READ = `
  const x = a[this.thread.x * aStep + aAt];
  const z = b[this.thread.x * bStep + bAt];`;

const binaryProgram = family<BinaryName>((name) =>
  program(`binary_${name}`, { ...OPERANDS, body: `${READ}\n${BINARY[name]}\nreturn y;` }),
);

const compareProgram = family<CompareName>((name) =>
  program(`compare_${name}`, {
    ...OPERANDS,
    body: `${READ}
  let y = 0.0;
  if (${COMPARE[name]}) { y = 1.0; }
  return y;`,
  }),
);

const WHERE = program('where', {
  arrays: ['c', 'a', 'b'],
  integers: ['cStep', 'aStep', 'bStep'],
  body: `
  let y = b[this.thread.x * bStep + bAt];
  if (c[this.thread.x * cStep + cAt] > 0.5) { y = a[this.thread.x * aStep + aAt]; }
  return y;`,
});

const SWIGLU = program('swiglu', {
  arrays: ['gate', 'up'],
  body: `const x = gate[this.thread.x + gateAt];${sigmoid('g', 'x')}
  return x * g * up[this.thread.x + upAt];`,
});

const SWIGLU_GATE = program('swigluGate', {
  arrays: ['gate', 'up', 'dy'],
  body: `const x = gate[this.thread.x + gateAt];
  ${UNARY.silu.slope}
  return dy[this.thread.x + dyAt] * up[this.thread.x + upAt] * d;`,
});

/** m = β·m + (1 − β)·g^power: the moments of AdamW. */
const moment = family<1 | 2>((power) =>
  program(`moment${power}`, {
    arrays: ['m', 'g'],
    floats: ['beta', 'rest'],
    body: `const x = g[this.thread.x + gAt];
  return beta * m[this.thread.x + mAt] + rest * x${power === 2 ? ' * x' : ''};`,
  }),
);

const STEP = program('adamwStep', {
  arrays: ['p', 'm', 'v'],
  floats: ['decay', 'rate', 'correction', 'eps'],
  body: `
  const root = Math.sqrt(v[this.thread.x + vAt] / correction);
  return p[this.thread.x + pAt] * decay - rate * m[this.thread.x + mAt] / (root + eps);`,
});

type ElementwiseKernels = Pick<
  Backend,
  'unary' | 'unaryBackward' | 'binary' | 'compare' | 'where' | 'swiglu' | 'swigluBackward' | 'adamw'
>;

export function elementwiseKernels(engine: Engine, assign: Backend['assign']): ElementwiseKernels {
  const { compute, dense } = engine;

  /** A dense view with step 1, or a single number with step 0. */
  function operand(x: View): { view: View; step: number } {
    const single = x.shape.every((n, axis) => n === 1 || x.strides[axis] === 0);
    return single ? { view: x, step: 0 } : { view: dense(x), step: 1 };
  }
  const operands = (views: readonly View[]) => {
    const list = views.map(operand);
    return { arrays: list.map(({ view }) => view), integers: list.map(({ step }) => step) };
  };

  return {
    unary: (name, x) => compute(unaryProgram(name), [dense(x)], {}, x.shape),
    unaryBackward: (name, x, y, dy) => compute(slopeProgram(name), [x, y, dy].map(dense), {}, x.shape),
    binary(name, a, b) {
      const { arrays, integers } = operands([a, b]);
      return compute(binaryProgram(name), arrays, { integers }, a.shape);
    },
    compare(name, a, b) {
      const { arrays, integers } = operands([a, b]);
      return compute(compareProgram(name), arrays, { integers }, a.shape, 'bool');
    },
    where(condition, a, b) {
      const { arrays, integers } = operands([condition, a, b]);
      return compute(WHERE, arrays, { integers }, a.shape, a.buffer.dtype);
    },
    swiglu: (gate, up) => compute(SWIGLU, [gate, up].map(dense), {}, gate.shape),
    swigluBackward(gate, up, dy) {
      const [g, u, d] = [gate, up, dy].map(dense);
      return {
        dgate: compute(SWIGLU_GATE, [g, u, d], {}, gate.shape),
        dup: compute(SWIGLU, [g, d], {}, gate.shape), // silu(gate) ⊙ dy
      };
    },

    adamw(param, grad, m, v, { lr, beta1, beta2, eps, weightDecay, step }) {
      const [p, g, m0, v0] = [param, grad, m, v].map(dense);
      const m1 = compute(moment(1), [m0, g], { floats: [beta1, 1 - beta1] }, m.shape);
      const v1 = compute(moment(2), [v0, g], { floats: [beta2, 1 - beta2] }, v.shape);
      const floats = [1 - lr * weightDecay, lr / (1 - beta1 ** step), 1 - beta2 ** step, eps];
      const p1 = compute(STEP, [p, m1, v1], { floats }, param.shape);
      assign(m, m1);
      assign(v, v1);
      assign(param, p1);
    },
  };
}
