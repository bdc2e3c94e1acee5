/** Whose memory goes when: blocks of a program, and passes through modules. */
import type { BufferHandle } from '../kernels/index.ts';
import { pass, scoped } from './lifetime.ts';
import { Tensor } from './tensor.ts';

const isPlain = (value: object) => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Adds the buffers of tensors alone, in arrays, maps and plain objects. False where there is something else. */
function collect(value: unknown, found: Set<BufferHandle>): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  if (value instanceof Tensor) {
    found.add(value.view.buffer);
    if (value.grad !== null) found.add(value.grad.view.buffer);
    return true;
  }
  if (ArrayBuffer.isView(value)) return true;
  let all = true;
  if (Array.isArray(value) || value instanceof Map) {
    for (const inner of value.values()) if (!collect(inner, found)) all = false;
  } else if (isPlain(value)) {
    for (const inner of Object.values(value)) if (!collect(inner, found)) all = false;
  } else {
    return false;
  }
  return all;
}

function buffersIn(value: unknown): Set<BufferHandle> {
  const found = new Set<BufferHandle>();
  collect(value, found);
  return found;
}

/**
 * Runs `fn` and gives back the memory of every tensor made inside, except those it returns (alone, in arrays, maps or
 * plain objects), gradients of leaves, and what `.keep()` was called on. `fn` may be async. Isn't needed for correctness,
 * nor for loops to stay flat; it gives memory back at once, and exactly where it ends.
 */
export function scope<R>(fn: () => R): R {
  return scoped(fn, buffersIn);
}

/** What can be seen from outside of a pass, beside its result; looked at when it ends. */
export interface Visible {
  readonly args: readonly unknown[];
  readonly modules: ReadonlySet<object>;
  readonly told: readonly unknown[];
}

/**
 * Runs the forward of a module: what the outermost one made goes when it returns, except what it returns, what its modules
 * hold in their fields, what was put into the arguments, and what taps were told. Where a result is something that cannot
 * be looked into (a promise, an object of a class), all stays.
 */
export function modulePass<R>(fn: () => R, { args, modules, told }: Visible): R {
  return pass(fn, (result) => {
    const found = new Set<BufferHandle>();
    if (!collect(result, found) || !collect(told, found)) return null;
    collect(args, found);
    for (const module of modules) for (const field of Object.values(module)) collect(field, found);
    return found;
  });
}
