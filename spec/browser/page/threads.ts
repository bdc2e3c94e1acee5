/** What the wasm backend makes of a page with or without SharedArrayBuffer, and that GPU.js runs in either bundle. */
import { type Backend, setBackend, Tensor } from '../../../src/index.ts';
import { loadBackend } from '../../../src/kernels/index.ts';
import { ONE_THREAD, TWO_THREADS, wasm } from './backends.ts';
import { type BrowserSpec, check } from './spec.ts';

const isolated = () => (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;

/** Sizes large enough to be shared between threads and to be cut into tiles. */
const [M, K, N] = [256, 300, 257];

function matrix(rows: number, columns: number, seed: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => ((i * 7 + seed) % 23) / 8 - 1.25);
}

/** Multiples of 1/64 below 2²⁴/64: exact in float32 in any order of summation. */
async function multipliesExactly(backend: Backend): Promise<void> {
  await setBackend(backend);
  const [a, b] = [matrix(M, K, 1), matrix(K, N, 5)];
  const product = Tensor.fromArray(a, [M, K]).matmul(Tensor.fromArray(b, [K, N]));
  const got = await product.read();
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[m * K + k] * b[k * N + n];
      const value = got[m * N + n];
      check(value === sum, `[${M},${K}] · [${K},${N}]: element ${m},${n} is ${value}, expected ${sum}`);
    }
  }
}

async function alone(): Promise<string> {
  check(!isolated(), 'the page is cross-origin isolated, and should not be');
  check(typeof SharedArrayBuffer === 'undefined', 'there is a SharedArrayBuffer, and should be none');
  const backend = await wasm({ threads: 2 });
  check(ONE_THREAD.test(backend.describe()), `describe() does not say "one thread": ${backend.describe()}`);
  await multipliesExactly(backend);
  return backend.describe();
}

async function shared(): Promise<string> {
  check(isolated(), 'the page is not cross-origin isolated');
  const backend = await wasm({ threads: 2 });
  const description = backend.describe();
  // A page may not wait for other threads.
  const expected = typeof document === 'undefined' ? TWO_THREADS : ONE_THREAD;
  check(expected.test(description), `describe() says ${JSON.stringify(description)}, expected ${expected}`);
  await multipliesExactly(backend);
  return backend.describe();
}

async function graphics(): Promise<string> {
  const backend = await loadBackend('gpujs');
  check(/^gpujs on web(gl2|gpu)/.test(backend.describe()), `not on a GPU: ${backend.describe()}`);
  await multipliesExactly(backend);
  return backend.describe();
}

export const threadSpecs: readonly BrowserSpec[] = [
  { name: 'wasm: two threads asked for', where: 'page', settings: ['isolated', 'minified'], run: shared },
  { name: 'wasm: two threads asked for', where: 'worker', settings: ['isolated', 'minified'], run: shared },
  { name: 'wasm: one thread without SharedArrayBuffer', where: 'page', settings: ['open'], run: alone },
  { name: 'wasm: one thread without SharedArrayBuffer', where: 'worker', settings: ['open'], run: alone },
  {
    name: 'gpujs: the mode it picks',
    where: 'page',
    settings: ['isolated', 'open', 'minified'],
    run: graphics,
  },
  { name: 'gpujs: the mode it picks', where: 'worker', settings: ['isolated', 'minified'], run: graphics },
];
