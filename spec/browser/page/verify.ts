/** `cogvlm verify spec/goldens` in a browser: every tensor against PyTorch. */
import { type Backend, setBackend, summarize, type VerifyDType, verifyFolder } from '../../../src/index.ts';
import { byName, gpujs, ONE_THREAD, TWO_THREADS, wasm } from './backends.ts';
import { fetchGoldens } from './httpFolder.ts';
import { type BrowserSpec, check } from './spec.ts';

const FOLDERS = ['cogvlm', 'cogvlm2', 'preprocess'];
/** Tensors in these folders. */
const ALL = 408;

interface Run {
  readonly name: string;
  readonly where: BrowserSpec['where'];
  readonly dtype?: VerifyDType;
  open(): Promise<Backend>;
  /** What `describe()` has to say. */
  readonly says: readonly RegExp[];
  /**
   * Tensors that agree, at least. The specification and the exact twins agree in all; of plain float32 nobody can ask
   * that (docs/numerics.md).
   */
  readonly atLeast: number;
}

const WASM = 380;
const GPUJS = 388;

const RUNS: readonly Run[] = [
  { name: 'cpu', where: 'page', open: () => byName('cpu'), says: [/^cpu/], atLeast: ALL },
  { name: 'cpu', where: 'page', dtype: 'float64', open: () => byName('cpu'), says: [/^cpu/], atLeast: ALL },
  {
    name: 'wasm, relaxed SIMD, 1 thread',
    where: 'page',
    open: () => wasm({ relaxed: true, threads: 1 }),
    says: [/relaxed SIMD/, ONE_THREAD],
    atLeast: WASM,
  },
  {
    name: 'wasm, plain SIMD, 1 thread',
    where: 'page',
    open: () => wasm({ relaxed: false, threads: 1 }),
    says: [/plain SIMD/, ONE_THREAD],
    atLeast: WASM,
  },
  {
    name: 'wasm, relaxed SIMD, 2 threads',
    where: 'worker',
    open: () => wasm({ relaxed: true, threads: 2 }),
    says: [/relaxed SIMD/, TWO_THREADS],
    atLeast: WASM,
  },
  {
    name: 'wasm, plain SIMD, 2 threads',
    where: 'worker',
    open: () => wasm({ relaxed: false, threads: 2 }),
    says: [/plain SIMD/, TWO_THREADS],
    atLeast: WASM,
  },
  { name: 'wasm-exact', where: 'page', open: () => byName('wasm-exact'), says: [/^wasm/], atLeast: ALL },
  {
    name: 'gpujs, WebGL2',
    where: 'page',
    open: () => gpujs('webgl2'),
    says: [/^gpujs on webgl2/],
    atLeast: GPUJS,
  },
  {
    name: 'gpujs, WebGPU',
    where: 'page',
    open: () => gpujs('webgpu'),
    says: [/^gpujs on webgpu/],
    atLeast: GPUJS,
  },
  {
    name: 'gpujs-exact',
    where: 'page',
    open: () => byName('gpujs-exact'),
    says: [/^gpujs on web(gl2|gpu)/],
    atLeast: ALL,
  },
];

export const verifySpecs: readonly BrowserSpec[] = RUNS.map((run) => ({
  name: `verify: ${run.name}, ${run.dtype ?? 'float32'}`,
  where: run.where,
  settings: ['isolated'],
  run: () => verify(run),
}));

async function verify({ dtype = 'float32', open, says, atLeast }: Run): Promise<string> {
  const backend = await setBackend(await open());
  const description = backend.describe();
  for (const words of says) {
    check(words.test(description), `describe() says ${JSON.stringify(description)}, expected ${words}`);
  }
  const reports = [];
  for (const folder of FOLDERS)
    reports.push(await verifyFolder(fetchGoldens(`spec/goldens/${folder}`), dtype));
  const rows = reports.flatMap(({ rows }) => rows);
  const ok = rows.filter(({ status }) => status === 'OK').length;
  const medians = reports.map((report) => summarize(report).medianTorchRatio?.toPrecision(2) ?? '');
  const found = `${ok} of ${rows.length} tensors agree, median error ${medians.filter(Boolean).join(' and ')} × PyTorch's`;
  const missed = rows.filter(({ status }) => status !== 'OK').map((row) => `${row.name}: ${row.note}`);
  check(
    rows.length === ALL,
    `${rows.length} tensors were compared, expected ${ALL}: the table of this spec is out of date`,
  );
  check(ok >= atLeast, `${found}, expected at least ${atLeast}\n${description}\n${missed.join('\n')}`);
  return `${found}\n${description}`;
}
