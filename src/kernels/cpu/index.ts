/**
 * The cpu backend: plain loops over `ndarray` views in float32 and float64, the specification that the other backends
 * must equal. Arithmetic is double precision and rounds when a result is stored.
 *
 * Kernels are plain functions over a heap, so another host backend takes them all and replaces what it does better:
 * `{ ...createCpuBackend({ name: 'mine', heap }), matmul }`.
 */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { adamwKernels } from './adamw.ts';
import { attentionKernels } from './attention.ts';
import { crossEntropyKernels } from './crossEntropy.ts';
import { elementwiseKernels } from './elementwise.ts';
import { indexingKernels } from './indexing.ts';
import { createJsHeap } from './jsHeap.ts';
import { matmulKernels } from './matmul.ts';
import { moveKernels } from './move.ts';
import { normKernels } from './norm.ts';
import { reduceKernels } from './reduce.ts';
import { rotaryKernels } from './rotary.ts';
import { softmaxKernels } from './softmax.ts';
import { swigluKernels } from './swiglu.ts';

export { createJsHeap } from './jsHeap.ts';

export interface CpuBackendOptions {
  /** Default 'cpu'. */
  readonly name?: string;
  /** Where buffers live; by default a heap of their own among JavaScript's typed arrays. */
  readonly heap?: Heap;
  /** What `describe()` answers. */
  readonly describe?: () => string;
}

/** All kernels, without memory and name. */
export type CpuKernels = Omit<
  Backend,
  'name' | 'dtypes' | 'describe' | 'release' | 'park' | 'memory' | 'openScope' | 'closeScope'
>;

/** Every kernel of the interface over `heap`. */
export function cpuKernels(heap: Heap): CpuKernels {
  return {
    ...moveKernels(heap),
    ...indexingKernels(heap),
    ...elementwiseKernels(heap),
    ...reduceKernels(heap),
    ...matmulKernels(heap),
    ...softmaxKernels(heap),
    ...crossEntropyKernels(heap),
    ...normKernels(heap),
    ...rotaryKernels(heap),
    ...attentionKernels(heap),
    ...swigluKernels(heap),
    ...adamwKernels(),
  };
}

/** A backend of its own: buffers of one are unknown to another. */
export function createCpuBackend(options: CpuBackendOptions = {}): Backend {
  const { name = 'cpu', heap = createJsHeap() } = options;
  const describe =
    options.describe ?? (() => `${name}: plain TypeScript loops in float32 and float64, one thread`);
  return {
    name,
    dtypes: ['float32', 'float64', 'int32', 'bool'],
    describe,
    release: (buffer, by) => heap.release(buffer, by),
    park: (buffer) => heap.park(buffer),
    memory: () => heap.memory(),
    openScope: () => heap.openScope(),
    closeScope: (keep, by) => heap.closeScope(keep, by),
    ...cpuKernels(heap),
  };
}

export interface CpuOptions {
  /**
   * Every result is rounded to its dtype: what float32 storage alone costs. By default float32 tensors are held in double
   * precision between kernels, so that what the backend says is the float32 result itself and not one of the many that
   * rounding on the way can give.
   */
  readonly strict?: boolean;
}

/** The cpu backend with memory of its own. */
export function openCpu({ strict = false }: CpuOptions = {}): Backend {
  const rounds = strict ? 'every result is rounded to its dtype' : 'float32 is rounded where it is read';
  return createCpuBackend({
    heap: createJsHeap({ wide: !strict }),
    describe: () => `cpu${strict ? ', strict' : ''}: plain TypeScript loops, one thread; ${rounds}`,
  });
}

/** The shared instance, the specification. */
export const cpu: Backend = openCpu();
