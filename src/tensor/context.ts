/** The backend in use, and how long its memory is held. */
import type { Backend, BufferHandle, BufferSet } from '../kernels/backend.ts';
import { cpu } from '../kernels/cpu/index.ts';
import { type BackendName, loadBackend } from '../kernels/registry.ts';

let current: Backend = cpu;

/** The backend new tensors are made on. */
export function getBackend(): Backend {
  return current;
}

/**
 * Makes a backend the one that new tensors are made on; tensors that exist stay where they are.
 * @throws Error where the named backend cannot run here, with the reason
 */
export async function setBackend(backend: BackendName | Backend): Promise<Backend> {
  current = typeof backend === 'string' ? await loadBackend(backend) : backend;
  return current;
}

/** Buffers that outlive every scope: parameters' gradients, optimiser state. */
const kept = new WeakSet<BufferHandle>();

/** Takes a buffer out of all scopes; it is given back by `release` or when nothing refers to it. */
export function keepBuffer(buffer: BufferHandle): void {
  kept.add(buffer);
}

/** Undoes `keepBuffer` and gives the memory back now. */
export function releaseBuffer(backend: Backend, buffer: BufferHandle): void {
  kept.delete(buffer);
  backend.release(buffer);
}

/** Runs `fn` and gives back what it allocated, except `keep(result)` and kept buffers. Spans `await`. */
export function scoped<R>(fn: () => R, keep: (result: Awaited<R>) => Iterable<BufferHandle>): R {
  const backend = current;
  backend.openScope();
  const close = (buffers: Iterable<BufferHandle>) => {
    const returned = new Set(buffers);
    const set: BufferSet = { has: (buffer) => returned.has(buffer) || kept.has(buffer) };
    backend.closeScope(set);
  };
  let result: R;
  try {
    result = fn();
  } catch (error) {
    close([]);
    throw error;
  }
  if (!(result instanceof Promise)) {
    close(keep(result as Awaited<R>));
    return result;
  }
  return result.then(
    (value: Awaited<R>) => {
      close(keep(value));
      return value;
    },
    (error: unknown) => {
      close([]);
      throw error;
    },
  ) as R;
}
