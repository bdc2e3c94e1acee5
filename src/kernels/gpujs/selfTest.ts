/**
 * Proof at start-up: what a mode computes is what the host computes. It covers what GPU.js or a driver gets wrong
 * without a word: sizes off the tile, loops over 1000 turns, operands by columns, rows that see nothing.
 */
import type { Backend, View } from '../backend.ts';
import { denseView, sizeOf, swapLastTwo } from '../views.ts';

/** [a, b] as the kernels see them; `t` stands for a view with its last two axes swapped. */
const MATMULS: readonly { a: readonly number[]; b: readonly number[]; t: '' | 'a' | 'b' | 'ab' }[] = [
  { a: [1, 1], b: [1, 1], t: '' },
  { a: [8, 16], b: [16, 12], t: '' },
  { a: [7, 5], b: [5, 3], t: 'b' },
  { a: [9, 67], b: [67, 6], t: 'a' },
  { a: [8, 65], b: [65, 13], t: 'a' },
  { a: [12, 33], b: [33, 5], t: 'ab' },
  { a: [1, 70], b: [70, 9], t: 'b' },
  { a: [6, 70], b: [70, 1], t: '' },
  { a: [3, 2500], b: [2500, 5], t: '' },
  { a: [2, 3, 5, 7], b: [2, 3, 7, 4], t: 'b' },
];

const SOFTMAXES: readonly { shape: readonly number[]; causal: boolean }[] = [
  { shape: [1], causal: false },
  { shape: [3, 7], causal: false },
  { shape: [2, 1030], causal: false },
  { shape: [2, 5, 5], causal: true },
  { shape: [3, 2, 9], causal: true },
  { shape: [7, 4], causal: true }, // the first three rows see nothing
];

/** Of Σ|a||b|: float32 sums of chunked sums stay far below, a wrong element far above. */
const MATMUL_TOLERANCE = 2e-6;
const SOFTMAX_RELATIVE = 1e-5;
const SOFTMAX_ABSOLUTE = 1e-7;

/** Throws an Error with kernel, shapes and greatest error where `candidate` and `host` disagree. */
export function selfTest(candidate: Backend, host: Backend): void {
  host.openScope();
  try {
    for (const { a, b, t } of MATMULS) testMatmul(candidate, host, a, b, t);
    for (const { shape, causal } of SOFTMAXES) testSoftmax(candidate, host, shape, causal);
  } finally {
    host.closeScope(new Set());
  }
}

function testMatmul(
  candidate: Backend,
  host: Backend,
  aShape: readonly number[],
  bShape: readonly number[],
  transposed: string,
): void {
  const a = samples(host, aShape, transposed.includes('a'), 1);
  const b = samples(host, bShape, transposed.includes('b'), 2);
  const bound = numbers(host, host.matmul(host.unary('abs', a), host.unary('abs', b)));
  const name = `matmul [${aShape}] · [${bShape}]${transposed && `, transposed ${transposed}`}`;
  compare(
    name,
    numbers(candidate, candidate.matmul(a, b)),
    numbers(host, host.matmul(a, b)),
    (i) => MATMUL_TOLERANCE * bound[i],
  );
}

function testSoftmax(candidate: Backend, host: Backend, shape: readonly number[], causal: boolean): void {
  const x = samples(host, shape, false, 8);
  const expected = numbers(host, host.softmax(x, { causal }));
  const got = numbers(candidate, candidate.softmax(x, { causal }));
  const allowed = (i: number) => SOFTMAX_ABSOLUTE + SOFTMAX_RELATIVE * Math.abs(expected[i]);
  compare(`softmax [${shape}]${causal ? ', causal' : ''}`, got, expected, allowed);
}

function compare(
  name: string,
  got: Float32Array,
  expected: Float32Array,
  allowed: (i: number) => number,
): void {
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
function samples(host: Backend, shape: readonly number[], transposed: boolean, scale: number): View {
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => scale * (2 * ((i * 0.6180339887) % 1) - 1),
  );
  const buffer = host.upload(data);
  if (!transposed) return denseView(buffer, shape);
  const axes = shape.length;
  return swapLastTwo(denseView(buffer, [...shape.slice(0, axes - 2), shape[axes - 1], shape[axes - 2]]));
}

function numbers(backend: Backend, x: View): Float32Array {
  return backend.readSync(x) as Float32Array;
}
