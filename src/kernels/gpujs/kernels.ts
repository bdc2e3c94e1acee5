/** All kernels of the backend over an engine: integers by the host, the rest on the device; temporaries go when a kernel ends. */
import type { Backend, BufferHandle, View } from '../backend.ts';
import { composedAttention } from '../composedAttention.ts';
import { denseView, sizeOf } from '../views.ts';
import { elementwiseKernels } from './elementwise.ts';
import type { Engine } from './engine.ts';
import { type IntegerKernels, type Integers, integerKernels } from './integers.ts';
import { Slot } from './lane.ts';
import { matmulKernels } from './matmul.ts';
import { moveKernels } from './move.ts';
import { normKernels } from './norm.ts';
import { reduceKernels } from './reduce.ts';
import { rotaryKernels } from './rotary.ts';
import { softmaxKernels } from './softmax.ts';
import type { Store } from './store.ts';

export type Kernels = Omit<
  Backend,
  | 'name'
  | 'dtypes'
  | 'describe'
  | 'upload'
  | 'read'
  | 'readSync'
  | 'release'
  | 'park'
  | 'memory'
  | 'openScope'
  | 'closeScope'
>;

export function gpuJsKernels(engine: Engine, integers: Integers): Kernels {
  const { store } = engine;
  const move = moveKernels(engine, integers);
  const reduce = reduceKernels(engine, integers);
  const onDevice = {
    ...move,
    ...reduce,
    ...elementwiseKernels(engine, move.assign),
    ...matmulKernels(engine),
    ...softmaxKernels(engine, integers),
    ...normKernels(engine, reduce.sum),
    ...rotaryKernels(engine),
  };
  const ofIntegers = integerKernels(engine, integers);
  const byDType = <N extends keyof IntegerKernels>(name: N): Backend[N] => {
    const [device, host] = [onDevice[name], ofIntegers[name]] as [AnyKernel, AnyKernel];
    const chosen: AnyKernel = (...args) => (isInteger(name, args) ? host : device)(...args);
    return chosen as Backend[N];
  };
  const kernels: Omit<Kernels, 'attention' | 'attentionBackward'> = {
    ...onDevice,
    fill(shape, value, dtype) {
      if (dtype !== 'int32') return onDevice.fill(shape, value, dtype);
      const data = new Int32Array(sizeOf(shape)).fill(value);
      return denseView(store.make('int32', data.length, Slot.of(data)), shape);
    },
    copy: byDType('copy'),
    cast: byDType('cast'),
    concat: byDType('concat'),
    assign: byDType('assign'),
    gatherRows: byDType('gatherRows'),
    scatterAddRows: byDType('scatterAddRows'),
    unary: byDType('unary'),
    unaryBackward: byDType('unaryBackward'),
    binary: byDType('binary'),
    compare: byDType('compare'),
    where: byDType('where'),
    sum: byDType('sum'),
    max: byDType('max'),
    argmax: byDType('argmax'),
    matmul: byDType('matmul'),
  };
  return tidy(store, { ...kernels, ...composedAttention(kernels) });
}

type AnyKernel = (...args: readonly unknown[]) => unknown;

/** By the operand that gives the result its dtype; a cast is the host's where either side is int32. */
function isInteger(name: keyof IntegerKernels, args: readonly unknown[]): boolean {
  if (name === 'cast' && args[1] === 'int32') return true;
  const views = args.flat().filter((x): x is View => typeof x === 'object' && x !== null && 'buffer' in x);
  return views[name === 'where' ? 1 : 0].buffer.dtype === 'int32';
}

/** The same kernels, each in a scope of its own that keeps what it returns. */
function tidy<K extends object>(store: Store, kernels: K): K {
  const wrap = (kernel: AnyKernel): AnyKernel => {
    return (...args) => {
      const kept = new Set<BufferHandle>();
      store.openScope();
      try {
        const result = kernel(...args);
        collect(result, kept);
        return result;
      } finally {
        store.closeScope(kept);
      }
    };
  };
  const entries = Object.entries(kernels).map(([name, kernel]) => [name, wrap(kernel as AnyKernel)]);
  return Object.fromEntries(entries) as K;
}

function collect(result: unknown, buffers: Set<BufferHandle>): void {
  if (typeof result !== 'object' || result === null) return;
  if ('buffer' in result) buffers.add((result as View).buffer);
  else for (const part of Object.values(result)) collect(part, buffers);
}
