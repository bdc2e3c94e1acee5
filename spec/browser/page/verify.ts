/** `cogvlm verify spec/goldens` in a browser: every tensor against PyTorch. */
import { type Backend, setBackend, type WasmOptions } from '../../../src/index.ts';
import { loadBackend } from '../../../src/kernels/index.ts';
import { type FloatDType, summarize } from '../../../src/verify/index.ts';
import { twinOf } from '../../../src/verify/twin/twin.ts';
import { verifyAnyFolder } from '../../onnx/anyFolder.ts';
import { gpujs, ONE_THREAD, TWO_THREADS, wasm } from './backends.ts';
import { fetchGoldens } from './httpFolder.ts';
import { type BrowserSpec, check } from './spec.ts';

/** Golden folders that are looked at together, and how many results they have at least. */
interface Subjects {
  readonly name: string;
  readonly folders: readonly string[];
  readonly results: number;
}

const MODELS: Subjects = { name: 'models', folders: ['cogvlm', 'cogvlm2', 'preprocess'], results: 408 };
/** Every op, composed function and module by itself, also in ONNX's tests. */
const FUNCTIONS: Subjects = {
  name: 'ops, functions and modules',
  folders: ['ops', 'functions', 'modules', 'onnx'],
  results: 2400,
};
const TRAINING: Subjects = { name: 'training', folders: ['training'], results: 230 };

interface Run {
  readonly name: string;
  readonly of?: Subjects;
  readonly where: BrowserSpec['where'];
  readonly dtype?: FloatDType;
  open(): Promise<Backend>;
  /** What `describe()` has to say. */
  readonly says: readonly RegExp[];
  /**
   * Results that may disagree. The specification and the twins agree in all; of whole models in plain float32 nobody
   * can ask that (docs/numerics.md).
   */
  readonly misses?: number;
  /** Names of results that may disagree beside these. */
  readonly unsure?: RegExp;
}

const WASM = 18;
const GPUJS = 16;

const simd = (relaxed: boolean) => (relaxed ? 'relaxed SIMD' : 'plain SIMD');

/** The twin. A page has one thread, a worker may have two. */
function wasmRun(relaxed: boolean, threads: 1 | 2): Run {
  const options: WasmOptions = { relaxed, threads };
  return {
    name: `wasm, ${simd(relaxed)}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    where: threads === 1 ? 'page' : 'worker',
    open: async () => twinOf(await wasm(options)),
    says: [new RegExp(simd(relaxed)), threads === 1 ? ONE_THREAD : TWO_THREADS],
  };
}

function plainWasmRun(relaxed: boolean): Run {
  return {
    name: `wasm, ${simd(relaxed)}, rounding`,
    where: 'page',
    open: () => wasm({ relaxed, threads: 1 }),
    says: [new RegExp(simd(relaxed))],
    misses: WASM,
  };
}

const RUNS: readonly Run[] = [
  { name: 'cpu', where: 'page', open: () => loadBackend('cpu'), says: [/^cpu/] },
  {
    name: 'cpu',
    where: 'page',
    dtype: 'float64',
    open: () => loadBackend('cpu'),
    says: [/^cpu/],
  },
  ...[true, false].flatMap((relaxed) => [wasmRun(relaxed, 1), wasmRun(relaxed, 2), plainWasmRun(relaxed)]),
  {
    name: 'gpujs, WebGL2',
    where: 'page',
    open: () => gpujs('webgl2'),
    says: [/^gpujs on webgl2/],
    misses: GPUJS,
  },
  {
    name: 'gpujs, WebGPU',
    where: 'page',
    open: () => gpujs('webgpu'),
    says: [/^gpujs on webgpu/],
    misses: GPUJS,
  },
  {
    name: 'gpujs twin',
    where: 'page',
    open: async () => twinOf(await gpujs('webgl2')),
    says: [/^the twin of gpujs on webgl2/],
  },
];

/** GPUs may take it that there is neither NaN nor infinity, and functions at the ends of the number line are of both. */
const ENDS = /\/(the ends|far values): /;

const FUNCTION_RUNS: readonly Run[] = [
  { name: 'wasm', of: TRAINING, where: 'page', open: () => wasm({ threads: 1 }), says: [/^wasm/] },
  {
    name: 'wasm',
    of: FUNCTIONS,
    where: 'page',
    open: () => wasm({ threads: 1 }),
    says: [/^wasm/],
  },
  {
    name: 'gpujs, WebGL2',
    of: FUNCTIONS,
    where: 'page',
    open: () => gpujs('webgl2'),
    says: [/^gpujs on webgl2/],
    unsure: ENDS,
  },
  {
    name: 'gpujs, WebGPU',
    of: FUNCTIONS,
    where: 'page',
    open: () => gpujs('webgpu'),
    says: [/^gpujs on webgpu/],
    unsure: ENDS,
  },
];

export const verifySpecs: readonly BrowserSpec[] = [...RUNS, ...FUNCTION_RUNS].map((run) => ({
  name: `verify ${(run.of ?? MODELS).name}: ${run.name}, ${run.dtype ?? 'float32'}`,
  where: run.where,
  settings: ['isolated'],
  run: () => verify(run),
}));

async function verify({
  of = MODELS,
  dtype = 'float32',
  open,
  says,
  misses = 0,
  unsure,
}: Run): Promise<string> {
  const backend = await setBackend(await open());
  const description = backend.describe();
  for (const words of says) {
    check(words.test(description), `describe() says ${JSON.stringify(description)}, expected ${words}`);
  }
  const reports = [];
  for (const folder of of.folders)
    reports.push({ rows: await verifyAnyFolder(fetchGoldens(`spec/goldens/${folder}`), dtype) });
  const rows = reports.flatMap(({ rows }) => rows);
  const ok = rows.filter(({ status }) => status === 'OK').length;
  const medians = reports.map((report) => summarize(report).medianTorchRatio?.toPrecision(2) ?? '');
  const found = `${ok} of ${rows.length} results agree, median error ${medians.filter(Boolean).join(' and ')} × PyTorch's`;
  const bad = rows.filter(({ status, name }) => status !== 'OK' && !unsure?.test(name));
  const missed = bad.map((row) => `${row.name}: ${row.note}`);
  check(
    rows.length >= of.results,
    `${rows.length} results were compared, expected ${of.results}: the table of this spec is out of date`,
  );
  check(bad.length <= misses, `${found}, expected all but ${misses}\n${description}\n${missed.join('\n')}`);
  return `${found}\n${description}`;
}
