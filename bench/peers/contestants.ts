/** Who is compared, in which settings, and what each cannot do. (Node only) */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ChildChannel } from './child.ts';
import { type Contestant, OURS } from './compare.ts';

export const NAMES = [
  OURS,
  'onnxruntime-web',
  'jax-js',
  'tfjs-wasm',
  'tfjs-cpu',
  'js-pytorch',
  'torch',
  'torch-tuned',
] as const;
export type Name = (typeof NAMES)[number];
export interface Peer {
  /** As the tables call it. */
  readonly title: string;
  /** How it is run. */
  readonly settings: string;
  /** Why it cannot use more than one thread; absent where it can. */
  readonly single?: string;
  readonly absent: Contestant['absent'];
}

const NO_TRAINING = 'computes no gradients in JavaScript';

export const PEERS: Readonly<Record<Name, Peer>> = {
  'cogvlm-ts': { title: 'cogvlm-ts', settings: 'wasm backend, relaxed SIMD', absent: {} },
  'onnxruntime-web': {
    title: 'onnxruntime-web 1.30.0',
    settings:
      'wasm execution provider, all graph optimisations, weights as constants (packed beforehand); pointwise rows ' +
      'inside of a graph: (graph with the op K times − graph with it once)/(K − 1)',
    absent: { layerBackward: NO_TRAINING, gpt: NO_TRAINING },
  },
  'jax-js': {
    title: 'jax-js 0.1.25',
    settings:
      'wasm device, every row one jit, relaxed SIMD on; worker pool through a Worker made of a thread of Node; ' +
      'map of iterators where Node has none (its einsum needs it)',
    absent: {},
  },
  'tfjs-wasm': {
    title: 'tfjs-backend-wasm 4.22.0',
    settings: 'SIMD build',
    single: 'its threads are switched off in Node',
    absent: {},
  },
  'tfjs-cpu': { title: 'tfjs cpu 4.22.0', settings: 'cpu backend', single: 'has no threads', absent: {} },
  'js-pytorch': {
    title: 'js-pytorch 0.7.2',
    settings: 'device cpu; the GPT is of its own blocks (ReLU, biases), and is not compared by its losses',
    single: 'has no threads',
    absent: {
      gelu: 'has no GELU',
      rmsNorm: 'has no RMSNorm',
      layer: 'has neither RMSNorm nor rotary positions',
      layerBackward: 'has neither RMSNorm nor rotary positions',
    },
  },
  torch: { title: 'PyTorch', settings: 'as installed', absent: {} },
  'torch-tuned': {
    title: 'PyTorch, tuned',
    settings: 'AVX-512 kernels of OpenBLAS and ATen, OpenMP OpenBLAS, malloc that keeps its pages',
    absent: {},
  },
};

const PYTHON = '/usr/bin/python3';

const KEEP_PAGES = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: String(2 ** 36),
  MALLOC_TOP_PAD_: String(2 ** 30),
};

/** What makes Debian's PyTorch as fast as it can be here; null where the libraries or the processor's features are absent. */
function tuning(): Readonly<Record<string, string>> | null {
  const openmp = existsSync('/usr/lib/x86_64-linux-gnu/openblas-openmp/libopenblas.so.0');
  if (!openmp || !existsSync('/proc/cpuinfo')) return null;
  const flags = new Set(
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags.*$/m)?.[0]
      .split(/\s+/),
  );
  const wide = ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'].every((flag) => flags.has(flag));
  if (!wide) return null;
  return {
    ...KEEP_PAGES,
    ATEN_CPU_CAPABILITY: 'avx512',
    OPENBLAS_CORETYPE: flags.has('avx512_bf16') ? 'Cooperlake' : 'SkylakeX',
  };
}

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const SCRIPTS: Partial<Readonly<Record<Name, readonly [file: string, ...args: readonly string[]]>>> = {
  'cogvlm-ts': ['ours.mjs'],
  'onnxruntime-web': ['onnxruntime.mjs'],
  'jax-js': ['jax.mjs'],
  'tfjs-wasm': ['tfjs.mjs', 'wasm'],
  'tfjs-cpu': ['tfjs.mjs', 'cpu'],
  'js-pytorch': ['js-pytorch.mjs'],
};

/** Null where the peer has no such setting. */
function contestant(name: Name, threads: number): Contestant | null {
  const { single, absent } = PEERS[name];
  if (threads > 1 && single !== undefined) return null;
  const script = SCRIPTS[name];
  if (script !== undefined) {
    const [file, ...args] = script;
    const flags = ['--max-old-space-size=12288', '--no-warnings'];
    const command = {
      command: process.execPath,
      args: [...flags, beside(file), String(threads), ...args],
      env: {},
    };
    return { name, threads, absent, open: () => new ChildChannel(command) };
  }
  const env = name === 'torch' ? {} : tuning();
  if (env === null) return null;
  const command = {
    command: PYTHON,
    args: [beside('torch_driver.py'), String(threads)],
    env: { OMP_NUM_THREADS: String(threads), ...env },
  };
  return { name, threads, absent, open: () => new ChildChannel(command) };
}

/** PyTorch's version, or null where it does not run. */
async function torchVersion(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(PYTHON, ['-c', 'import torch; print(torch.__version__)']);
    return stdout.trim();
  } catch {
    return null;
  }
}

/** Those of `names` that are here, ours first, once for each number of threads they can use. */
export async function contestants(
  names: readonly Name[],
  threads: readonly number[],
): Promise<{ readonly found: Contestant[]; readonly notes: string[] }> {
  const notes: string[] = [];
  let chosen = NAMES.filter((name) => name === OURS || names.includes(name));
  if (chosen.some((name) => name.startsWith('torch'))) {
    const version = await torchVersion();
    if (version === null) {
      notes.push(`PyTorch is left out: ${PYTHON} -c 'import torch' fails`);
      chosen = chosen.filter((name) => !name.startsWith('torch'));
    } else notes.push(`PyTorch is ${version}`);
  }
  const found: Contestant[] = [];
  for (const count of threads) {
    for (const name of chosen) {
      const one = contestant(name, count);
      if (one !== null) found.push(one);
      else if (PEERS[name].single === undefined)
        notes.push(`${PEERS[name].title} is left out: it needs openblas-openmp and AVX-512`);
    }
  }
  return { found, notes: [...new Set(notes)] };
}
