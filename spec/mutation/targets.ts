/** What is mutated, and what looks at it: the cheapest first, so that most mutants cost milliseconds. */

export interface Target {
  /** Path in the project. */
  readonly file: string;
  /** Names as `check` takes them. */
  readonly checks: readonly string[];
  /** It has state of its own, which a mutant may leave in disorder: each gets a copy of the library for itself. */
  readonly stateful?: true;
}

const UNARY = 'neg,exp,log,sqrt,abs,sin,cos,tanh,erf,sigmoid,relu,silu,gelu';
const ROWS = 'spec/kernels/cpuRows.spec.ts';
const CPU = 'spec/kernels/cpu.spec.ts';
const SUMS = 'spec/kernels/cpuSums.spec.ts';
const TENSOR = 'spec/tensor/tensor.spec.ts';
const ERRORS = 'spec/tensor/errors.spec.ts';
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

const op = (name: string, ops: string, ...more: string[]): Target => ({
  file: `src/tensor/ops/${name}.ts`,
  checks: [`ops32:${ops}`, `ops:${ops}`, ERRORS, ...more],
});
const kernel = (name: string, ops: string, ...more: string[]): Target => ({
  file: `src/kernels/cpu/${name}.ts`,
  checks: [`ops32:${ops}`, `ops:${ops}`, ...more, CONTRACT, `${LAYOUTS}:${ops}`],
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
  op('attention', 'attention', FUSED),
  op('binary', 'add,sub,mul,div,pow,maximum', TENSOR),
  op('crossEntropy', 'crossEntropy', FUSED),
  op('cast', 'cast', TENSOR),
  op('concat', 'concat', TENSOR),
  op('gatherRows', 'gatherRows', TENSOR),
  op('where', 'where', TENSOR),
  op('matmul', 'matmul', TENSOR),
  op('movement', 'reshape,permute,expand,slice', TENSOR),
  op('norm', 'layerNorm,rmsNorm', FUSED),
  op('reduction', 'sum,max', TENSOR),
  op('rotary', 'rotary', FUSED),
  op('softmax', 'softmax', FUSED),
  op('swiglu', 'swiglu', FUSED),
  op('unary', UNARY),
  kernel('adamw', 'neg', OPTIM, 'optimizer', ROWS),
  kernel('attention', 'attention', ROWS),
  kernel('crossEntropy', 'crossEntropy', ROWS),
  kernel('elementwise', `add,sub,mul,div,pow,maximum,where,${UNARY}`, CPU),
  kernel('indexing', 'gatherRows', CPU, LAYERS, 'spec/kernels/indices.spec.ts'),
  kernel('matmul', 'matmul', SUMS),
  kernel('norm', 'layerNorm,rmsNorm', ROWS),
  kernel('reduce', 'sum,max', SUMS, TENSOR),
  kernel('rotary', 'rotary', ROWS),
  kernel('softmax', 'softmax', ROWS),
  kernel('swiglu', 'swiglu', ROWS),
  kernel('unary', `${UNARY},swiglu`, ROWS),
  layer('attention', 'attention', FUSED, 'spec/kernels/composedAttention.spec.ts', 'logits:cogvlm'),
  layer('embedding', 'Embedding'),
  layer('init', 'Linear,LayerNorm,Embedding', MODULE),
  layer('linear', 'Linear'),
  layer('loss', 'crossEntropy', FUSED),
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
