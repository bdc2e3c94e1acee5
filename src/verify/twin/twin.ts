/**
 * The twin of a float32 backend: what it computes is right to some 35 bits unless one of the backend's kernels is at fault.
 * Where float32 rounding alone decides what a model answers (docs/numerics.md), the twin still tells.
 *
 *   byParts.ts    kernels that move, add and multiply run on parts of the numbers on which they make no error
 *   beside.ts     all others, which must round, run beside the host's; what rounding does not explain stays in the result
 *   attention.ts  both: composed of the former, the fused kernel beside it
 *
 * Kernels without float32 operands or results, and `adamw`, are the host's.
 */
import { type Backend, createCpuBackend, createJsHeap } from '../../kernels/index.ts';
import { attentionKernels } from './attention.ts';
import { kernelsBeside } from './beside.ts';
import { kernelsByParts } from './byParts.ts';
import { Workbench } from './workbench.ts';

/** The twin of `fast`, which must be able to wait for its results (`readSync`). Its tensors lie on the host. */
export function twinOf(fast: Backend): Backend {
  const heap = createJsHeap({ wide: true });
  const host = createCpuBackend({
    name: fast.name,
    heap,
    describe: () => `the twin of ${fast.describe()}; without what rounding does to results`,
  });
  const bench = new Workbench(fast, host, heap);
  const parts = { ...host, dtypes: fast.dtypes, ...kernelsBeside(bench), ...kernelsByParts(bench) };
  return { ...parts, ...attentionKernels(bench, parts) };
}
