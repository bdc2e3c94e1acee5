/**
 * What is mutated, and what looks at it: the cheapest first, so that most mutants cost milliseconds. Files of ops and of cpu
 * kernels are found in their folders, and are looked at by the ops that they define or that have the name of a kernel in them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composed } from '../../src/tensor/composed.ts';
import { fused, type OpName, ops } from '../../src/tensor/ops/index.ts';

export interface Target {
  /** Path in the project. */
  readonly file: string;
  /** Names as `check` takes them. */
  readonly checks: readonly string[];
  /** Of a file in src/tensor/ops: what it defines. */
  readonly ops?: readonly OpName[];
  /** It has state of its own, which a mutant may leave in disorder: each gets a copy of the library for itself. */
  readonly stateful?: true;
}

const ROWS = 'spec/kernels/cpuRows.spec.ts';
const CPU = 'spec/kernels/cpu.spec.ts';
const SUMS = 'spec/kernels/cpuSums.spec.ts';
const TENSOR = 'spec/tensor/tensor.spec.ts';
const ERRORS = 'spec/tensor/errors.spec.ts';
const COMPOSITIONS = 'spec/tensor/compositions.spec.ts';
const TAPE = 'spec/tensor/tape.spec.ts';
const LAYERS = 'spec/nn/layers.spec.ts';
const FUSED = 'spec/nn/fused.spec.ts';
const OPTIM = 'spec/nn/optim.spec.ts';
const MODULE = 'spec/nn/module.spec.ts';
const LAYOUTS = 'spec/tensor/layouts.spec.ts';
const CONTRACT = 'spec/kernels/cpuContract.spec.ts';
const EDGES = 'spec/nn/edges.spec.ts';
const INIT = 'spec/nn/init.spec.ts';
const MODELS = [
  'logits:cogvlm2',
  'logits:cogvlm',
  'spec/models/inputs.spec.ts',
  'trace:cogvlm2',
  'model:cogvlm',
];

const ROOT = join(import.meta.dirname, '../..');
const [OPS, KERNELS] = ['src/tensor/ops', 'src/kernels/cpu'];

/** Files of a folder that are named by a word, with the ops that a line of them begins to define. */
function filesOf(
  folder: string,
  begins: (op: OpName) => RegExp,
): { readonly name: string; readonly ops: readonly OpName[] }[] {
  const names = readdirSync(join(ROOT, folder)).flatMap((file) => /^(\w+)\.ts$/.exec(file)?.[1] ?? []);
  return names.map((name) => {
    const text = readFileSync(join(ROOT, folder, `${name}.ts`), 'utf8');
    return { name, ops: (Object.keys(ops) as OpName[]).filter((op) => begins(op).test(text)) };
  });
}

const checksOf = (names: readonly string[]) => [`ops32:${names}`, `ops:${names}`];

/** Every file that defines ops. */
const OP_TARGETS = filesOf(OPS, (op) => new RegExp(`^export const ${op}\\b`, 'm'))
  .filter(({ ops }) => ops.length > 0)
  .map(({ name, ops }): Target => {
    const spec = ops.some((op) => Object.hasOwn(fused, op)) ? FUSED : TENSOR;
    return { file: `${OPS}/${name}.ts`, ops, checks: [...checksOf(ops), ERRORS, spec] };
  });

const opsOf = (file: string): readonly OpName[] =>
  OP_TARGETS.find((target) => target.file === `${OPS}/${file}.ts`)?.ops ?? [];

/** Memory, moves and what others are made of: looked at by what looks at the rest. */
const NOT_ALONE = ['erf', 'host', 'index', 'jsHeap', 'lines', 'move'];

/** Kernels that more ops come by than those of their name. */
const MORE_OPS: Readonly<Record<string, readonly OpName[]>> = {
  adamw: ['neg'],
  elementwise: [...opsOf('binary'), ...opsOf('unary')],
  matmulTile: ['matmul'],
  unary: [...opsOf('unary'), 'swiglu'],
};

/** What looks at kernels over other things than rows. */
const KERNEL_CHECKS: Readonly<Record<string, readonly string[]>> = {
  adamw: [OPTIM, 'optimizer', ROWS],
  elementwise: [CPU],
  indexing: [CPU, LAYERS, 'spec/kernels/indices.spec.ts'],
  matmul: [SUMS],
  matmulTile: [SUMS],
  reduce: [SUMS, TENSOR],
};

/** Every file of kernels. */
const KERNEL_TARGETS = filesOf(KERNELS, (kernel) => new RegExp(`^ {4}${kernel}\\(`, 'm'))
  .filter(({ name }) => !NOT_ALONE.includes(name))
  .map(({ name, ops: own }): Target => {
    const names = [...(MORE_OPS[name] ?? []), ...own];
    const checks = [...checksOf(names), ...(KERNEL_CHECKS[name] ?? [ROWS]), CONTRACT, `${LAYOUTS}:${names}`];
    return { file: `${KERNELS}/${name}.ts`, checks };
  });

/** Functions that are composed of ops. */
const composition = (name: string, functions: string, ...more: string[]): Target => ({
  file: `src/tensor/functions/${name}.ts`,
  checks: [`functions:${functions}`, ...more],
});
const layer = (name: string, module: string, ...more: string[]): Target => ({
  file: `src/nn/${name}.ts`,
  checks: [`modules:${module}`, LAYERS, INIT, EDGES, ...more],
});
const model = (name: string, ...checks: string[]): Target => ({
  file: `src/models/cogvlm/${name}.ts`,
  checks: [...MODELS, ...checks],
});

export const TARGETS: readonly Target[] = [
  {
    file: 'src/tensor/op.ts',
    checks: ['ops32:add,mul,where,expand', 'ops:add,mul,where,expand,attention,concat', TAPE],
  },
  { file: 'src/tensor/tape.ts', checks: ['ops32:add,mul,where,concat', EDGES, TAPE], stateful: true },
  {
    file: 'src/tensor/axes.ts',
    checks: ['functions:flatten,split,chunk,squeeze,norm', 'ops:reshape,expand', ERRORS, TENSOR],
  },
  { file: 'src/tensor/composed.ts', checks: [`definitions:${Object.keys(composed)}`] },
  { file: 'src/tensor/defineFunction.ts', checks: ['spec/tensor/defineFunction.spec.ts'] },
  ...OP_TARGETS,
  ...KERNEL_TARGETS,
  composition('dropout', 'dropout', COMPOSITIONS),
  composition('einsum', 'einsum', COMPOSITIONS),
  composition('indexing', 'takeAlongAxis,topk,oneHot', COMPOSITIONS),
  composition('joining', 'stack', 'ops32:concat', COMPOSITIONS, TENSOR),
  composition('logic', 'logicalAnd,logicalOr,logicalNot'),
  composition('scan', 'cumsum'),
  composition('triangles', 'tril,triu'),
  layer('attention', 'attention', FUSED, 'spec/kernels/composedAttention.spec.ts', 'logits:cogvlm'),
  { file: 'src/nn/conv2d.ts', checks: ['functions:conv2d'] },
  layer('embedding', 'Embedding'),
  layer('init', 'Linear,LayerNorm,Embedding', MODULE),
  layer('linear', 'Linear'),
  layer('loss', 'crossEntropy', 'functions:crossEntropy', FUSED),
  {
    file: 'src/nn/module.ts',
    checks: ['modules:Linear,SwiGLU', EDGES, MODULE, 'logits:cogvlm'],
    stateful: true,
  },
  layer('norm', 'LayerNorm,RMSNorm'),
  layer('patchConv', 'PatchConv'),
  layer('rotary', 'RotaryEmbedding', FUSED),
  layer('swiglu', 'SwiGLU', FUSED),
  { file: 'src/nn/optim/adamw.ts', checks: [OPTIM, 'optimizer', EDGES] },
  { file: 'src/nn/optim/clip.ts', checks: [OPTIM, 'optimizer', EDGES] },
  { file: 'src/nn/optim/schedule.ts', checks: [OPTIM, EDGES] },
  model('adapter', 'property:left'),
  model('cogvlm', 'property:cache', 'property:left'),
  model('decoder'),
  model('evaVit'),
  model('expertRouting', 'property:cache', 'property:reach'),
  { file: 'src/models/cogvlm/masks.ts', checks: ['spec/models/masks.spec.ts'] },
  model('vision'),
  model('visualExpert', 'property:cache', 'property:reach'),
];
