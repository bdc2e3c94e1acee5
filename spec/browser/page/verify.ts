/** `cogvlm verify spec/goldens` in a browser: every tensor against PyTorch. */
import {
  type Backend,
  createBackend,
  loadBackend,
  setBackend,
  summarize,
  type VerifyDType,
  verifyFolder,
  type WasmOptions,
} from '../../../src/index.ts';
import { gpujs, ONE_THREAD, TWO_THREADS, wasm } from './backends.ts';
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

const WASM = 390;
const GPUJS = 392;

const simd = (relaxed: boolean) => (relaxed ? 'relaxed SIMD' : 'plain SIMD');

/** The error-free twin. A page has one thread, a worker may have two. */
function wasmRun(relaxed: boolean, threads: 1 | 2): Run {
  const options: WasmOptions = { relaxed, threads };
  return {
    name: `wasm, ${simd(relaxed)}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    where: threads === 1 ? 'page' : 'worker',
    open: () => createBackend('wasm-exact', { wasm: options }),
    says: [new RegExp(simd(relaxed)), threads === 1 ? ONE_THREAD : TWO_THREADS],
    atLeast: ALL,
  };
}

function plainWasmRun(relaxed: boolean): Run {
  return {
    name: `wasm, ${simd(relaxed)}, rounding`,
    where: 'page',
    open: () => wasm({ relaxed, threads: 1 }),
    says: [new RegExp(simd(relaxed))],
    atLeast: WASM,
  };
}

const RUNS: readonly Run[] = [
  { name: 'cpu', where: 'page', open: () => loadBackend('cpu'), says: [/^cpu/], atLeast: ALL },
  {
    name: 'cpu',
    where: 'page',
    dtype: 'float64',
    open: () => loadBackend('cpu'),
    says: [/^cpu/],
    atLeast: ALL,
  },
  ...[true, false].flatMap((relaxed) => [wasmRun(relaxed, 1), wasmRun(relaxed, 2), plainWasmRun(relaxed)]),
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
    open: () => loadBackend('gpujs-exact'),
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
