/**
 * Proof at start-up: what a mode computes is what the host computes. It covers what GPU.js or a driver gets wrong
 * without a word: sizes off the tile, loops over 1000 turns, operands by columns, rows that see nothing, functions that lose
 * digits, positions found by division.
 */
import type { Backend, HostArray, View } from '../backend.ts';
import { denseView, sizeOf, swapLastTwo } from '../views.ts';

/** [a, b] as the kernels see them; `t` stands for a view with its last two axes swapped. */
const MATMULS: readonly { a: readonly number[]; b: readonly number[]; t: '' | 'a' | 'b' | 'ab' }[] = [
  { a: [1, 1], b: [1, 1], t: '' },
  { a: [7, 5], b: [5, 3], t: 'b' },
  { a: [9, 67], b: [67, 6], t: 'a' },
  { a: [12, 33], b: [33, 5], t: 'ab' },
  { a: [1, 70], b: [70, 9], t: 'b' },
  { a: [6, 70], b: [70, 1], t: '' },
  { a: [3, 2500], b: [2500, 5], t: '' },
  { a: [2, 3, 5, 7], b: [2, 3, 7, 4], t: 'b' },
];

const SOFTMAXES: readonly { shape: readonly number[]; causal: boolean }[] = [
  { shape: [3, 7], causal: false },
  { shape: [2, 1030], causal: false },
  { shape: [3, 2, 9], causal: true },
  { shape: [7, 4], causal: true }, // the first three rows see nothing
];

/** Other kernels on x and y [6, 35] within ±8, one for each way that a program finds its numbers. */
const OTHERS: readonly { name: string; run: (k: Backend, x: View, y: View) => View }[] = [
  { name: 'copy of a transpose', run: (k, x) => k.copy(swapLastTwo(x)) },
  { name: 'sum over rows', run: (k, x) => k.sum(x, [0]) },
  { name: 'sum over columns', run: (k, x) => k.sum(x, [1]) },
  { name: 'mul', run: (k, x, y) => k.binary('mul', x, y) },
  { name: 'where', run: (k, x, y) => k.where(k.compare('lt', x, y), x, y) },
  { name: 'concat', run: (k, x, y) => k.concat([x, y], 1) },
  { name: 'gelu', run: (k, x) => k.unary('gelu', x) },
  { name: 'log of exp', run: (k, x) => k.unary('log', k.unary('exp', x)) },
  { name: 'sin', run: (k, x) => k.unary('sin', x) },
  { name: 'tanh', run: (k, x) => k.unary('tanh', x) },
  { name: 'swiglu', run: (k, x, y) => k.swiglu(x, y) },
  { name: 'rmsNorm', run: (k, x, y) => k.rmsNorm(x, { ...y, shape: [35], strides: [1] }, 1e-6).y },
  {
    name: 'assign to a slice',
    run: (k, x, y) => {
      const z = k.copy(x);
      const columns = { ...z, shape: [6, 5], offset: 10 };
      k.assign(columns, { ...y, shape: [6, 5] });
      return z;
    },
  },
];

/** Of Σ|a||b|: float32 sums of chunked sums stay far below, a wrong element far above. */
const MATMUL_TOLERANCE = 2e-6;
const SOFTMAX_RELATIVE = 1e-5;
const SOFTMAX_ABSOLUTE = 1e-7;
/** Of the greatest magnitude. */
const OTHERS_TOLERANCE = 3e-6;

/** Throws an Error with kernel, shapes and greatest error where `candidate` and `host` disagree. */
export async function selfTest(candidate: Backend, host: Backend): Promise<void> {
  host.openScope();
  candidate.openScope();
  try {
    for (const { a, b, t } of MATMULS) await testMatmul(candidate, host, a, b, t);
    for (const { shape, causal } of SOFTMAXES) await testSoftmax(candidate, host, shape, causal);
    for (const { name, run } of OTHERS) await testOther(candidate, host, name, run);
  } finally {
    candidate.closeScope(new Set());
    host.closeScope(new Set());
  }
}

async function testMatmul(
  candidate: Backend,
  host: Backend,
  aShape: readonly number[],
  bShape: readonly number[],
  transposed: string,
): Promise<void> {
  const operands = (k: Backend) => [
    samples(k, aShape, transposed.includes('a'), 1),
    samples(k, bShape, transposed.includes('b'), 2),
  ];
  const [a, b] = operands(host);
  const bound = host.readSync(host.matmul(host.unary('abs', a), host.unary('abs', b)));
  const [left, right] = operands(candidate);
  compare(
    `matmul [${aShape}] · [${bShape}]${transposed && `, transposed ${transposed}`}`,
    await candidate.read(candidate.matmul(left, right)),
    host.readSync(host.matmul(a, b)),
    (i) => MATMUL_TOLERANCE * bound[i],
  );
}

async function testSoftmax(
  candidate: Backend,
  host: Backend,
  shape: readonly number[],
  causal: boolean,
): Promise<void> {
  const run = (k: Backend) => k.softmax(samples(k, shape, false, 8), { causal });
  const expected = host.readSync(run(host));
  const got = await candidate.read(run(candidate));
  const allowed = (i: number) => SOFTMAX_ABSOLUTE + SOFTMAX_RELATIVE * Math.abs(expected[i]);
  compare(`softmax [${shape}]${causal ? ', causal' : ''}`, got, expected, allowed);
}

async function testOther(
  candidate: Backend,
  host: Backend,
  name: string,
  kernel: (k: Backend, x: View, y: View) => View,
): Promise<void> {
  const run = (k: Backend) => kernel(k, samples(k, [6, 35], false, 8), samples(k, [6, 35], true, 7));
  const expected = host.readSync(run(host));
  let greatest = 0;
  for (const value of expected) greatest = Math.max(greatest, Math.abs(value));
  compare(name, await candidate.read(run(candidate)), expected, () => OTHERS_TOLERANCE * greatest);
}

function compare(name: string, got: HostArray, expected: HostArray, allowed: (i: number) => number): void {
  let greatest = 0;
  let wrong = 0;
  expected.forEach((value, i) => {
    const error = Math.abs(got[i] - value);
    if (!(error <= allowed(i))) wrong++;
    if (!(error <= greatest)) greatest = error;
  });
  if (wrong === 0 && got.length === expected.length) return;
  throw new Error(
    `gpujs: self-test failed in ${name}: ${wrong} of ${expected.length} elements wrong, greatest error ${greatest}`,
  );
}

/** Numbers within ±scale that repeat late: the golden ratio's multiples, modulo 1. */
function samples(k: Backend, shape: readonly number[], transposed: boolean, scale: number): View {
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => scale * (2 * ((i * 0.6180339887) % 1) - 1),
  );
  const buffer = k.upload(data);
  if (!transposed) return denseView(buffer, shape);
  const axes = shape.length;
  return swapLastTwo(denseView(buffer, [...shape.slice(0, axes - 2), shape[axes - 1], shape[axes - 2]]));
}
