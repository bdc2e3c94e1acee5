/** Memory given back at the end of a block. */
import type { BufferHandle } from '../kernels/backend.ts';
import { scoped } from './context.ts';
import { Tensor } from './tensor.ts';

function* buffersIn(value: unknown): Iterable<BufferHandle> {
  if (value instanceof Tensor) {
    yield value.view.buffer;
    if (value.grad !== null) yield value.grad.view.buffer;
  } else if (Array.isArray(value) || value instanceof Map) {
    for (const inner of value.values()) yield* buffersIn(inner);
  } else if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    for (const inner of Object.values(value)) yield* buffersIn(inner);
  }
}

/**
 * Runs `fn` and gives back the memory of every tensor made inside, except those it returns (alone, in arrays, maps or
 * plain objects), gradients of leaves, and what `.keep()` was called on. `fn` may be async. Isn't needed for correctness
 * (dropped tensors are collected), but keeps a loop's memory flat on backends with their own memory.
 */
export function scope<R>(fn: () => R): R {
  return scoped(fn, buffersIn);
}
