/**
 * How long memory is held, so that a loop nobody wrote a `scope` around stays flat. WebAssembly and devices have memory
 * that JavaScript's garbage collector does not see, and a loop that never waits lets no finaliser run, so:
 *
 *   made inside a module     goes when the outermost module returns, unless it is returned or held (`pass`); what a gradient
 *                            needs goes with `backward()`
 *   made by the caller       moves to JavaScript's memory with `backward()`, or when many later ones were made, and comes
 *                            back if it is used again (`Backend.park`): what somebody holds can always be read
 *   kept                     stays until it is disposed of: weights, their gradients, moments, whatever `keep()` was said of
 *   made in a scope          goes with the scope, whatever else holds
 *
 * Here buffers are counted, not tensors: views share theirs.
 */
import type { Backend, BufferHandle } from '../kernels/index.ts';
import { getBackend } from './context.ts';

/** What is noted in `life` of a buffer. */
const Life = {
  /** Outlives every scope. */
  kept: 1,
  /** The gradient of a recorded op needs it. */
  wanted: 2,
  /** Made inside a module that neither returned nor holds it: nobody can see it. */
  hidden: 4,
  parked: 8,
  /** Was used after it was parked, and so is likely to be used again. */
  reused: 16,
} as const;

const is = (buffer: BufferHandle, life: number): boolean => ((buffer.life ?? 0) & life) !== 0;

function note(buffer: BufferHandle, life: number): void {
  buffer.life = (buffer.life ?? 0) | life;
}

function unnote(buffer: BufferHandle, life: number): void {
  buffer.life = (buffer.life ?? 0) & ~life;
}

/** What is kept stays where a scope or a pass ends. */
const KEPT = { has: (buffer: BufferHandle) => is(buffer, Life.kept) };

/** Buffers outside of scopes, oldest first. What is beyond the limits is parked. */
class Queue {
  readonly #backends = new Map<BufferHandle, Backend>();
  readonly #mostBuffers: number;
  readonly #mostBytes: number;
  readonly #rest: number;
  #bytes = 0;

  /** @param rest share that is left of it once it is full: a search for the oldest steps over the places of all that left before */
  constructor(mostBuffers: number, mostBytes: number, rest: number) {
    this.#mostBuffers = mostBuffers;
    this.#mostBytes = mostBytes;
    this.#rest = rest;
  }

  add(backend: Backend, buffer: BufferHandle): void {
    if (this.#backends.has(buffer)) return;
    this.#backends.set(buffer, backend);
    this.#bytes += bytesOf(buffer);
    if (!this.#isWithin(1)) this.#parkOldest();
  }

  #parkOldest(): void {
    for (const [buffer, backend] of this.#backends) {
      if (this.#isWithin(this.#rest)) return;
      this.delete(buffer);
      park(backend, buffer);
    }
  }

  #isWithin(share: number): boolean {
    return this.#backends.size <= share * this.#mostBuffers && this.#bytes <= share * this.#mostBytes;
  }

  delete(buffer: BufferHandle): boolean {
    const was = this.#backends.delete(buffer);
    if (was) this.#bytes -= bytesOf(buffer);
    return was;
  }
}

const MIB = 2 ** 20;

/** What no gradient wants: most are used within a few ops or never again. */
const temporaries = new Queue(64, 16 * MIB, 1);

/** What is likely to be used again: parked only where a graph grows that is never differentiated. */
const lasting = new Queue(2 ** 17, 512 * MIB, 7 / 8);

/** At most 8 bytes an element; what is counted need not be exact. */
function bytesOf({ dtype, length }: BufferHandle): number {
  return length * (dtype === 'float64' ? 8 : 4);
}

function park(backend: Backend, buffer: BufferHandle): void {
  note(buffer, Life.parked);
  backend.park(buffer);
}

let openScopes = 0;
let insidePass = false;

/** Looks after the buffer of a new tensor. */
export function track(backend: Backend, buffer: BufferHandle, isLasting: boolean): void {
  if (insidePass || openScopes > 0 || is(buffer, Life.kept | Life.parked)) return;
  if (isLasting || is(buffer, Life.wanted | Life.reused)) {
    temporaries.delete(buffer);
    lasting.add(backend, buffer);
  } else {
    temporaries.add(backend, buffer);
  }
}

/** A recorded op needs the buffer for its gradient. */
export function wantForGradient(backend: Backend, buffer: BufferHandle): void {
  if (is(buffer, Life.wanted)) return;
  note(buffer, Life.wanted);
  if (temporaries.delete(buffer)) lasting.add(backend, buffer);
}

/** The buffer is used once more. */
export function use(backend: Backend, buffer: BufferHandle): void {
  if (!is(buffer, Life.parked)) return;
  unnote(buffer, Life.parked);
  note(buffer, Life.reused);
  track(backend, buffer, true);
}

/** No gradient needs the buffer any more. */
export function retire(backend: Backend, buffer: BufferHandle): void {
  if (!is(buffer, Life.wanted)) return;
  unnote(buffer, Life.wanted);
  discard(backend, buffer);
}

/** Nothing in the library needs the buffer any more: what nobody can see goes, what somebody may hold is parked. */
export function discard(backend: Backend, buffer: BufferHandle): void {
  if (is(buffer, Life.kept | Life.reused)) return;
  lasting.delete(buffer);
  if (is(buffer, Life.hidden)) backend.release(buffer, 'backward');
  else park(backend, buffer);
}

/** Takes a buffer out of all scopes; it is given back by `release` or when nothing refers to it. */
export function keepBuffer(buffer: BufferHandle): void {
  note(buffer, Life.kept);
  temporaries.delete(buffer);
  lasting.delete(buffer);
}

/** The same for a gradient, which its owner may forget like any other tensor. */
export function keepGradient(backend: Backend, buffer: BufferHandle): void {
  note(buffer, Life.kept);
  if (openScopes === 0) lasting.add(backend, buffer);
}

/** Undoes `keepBuffer` and gives the memory back now. */
export function releaseBuffer(backend: Backend, buffer: BufferHandle): void {
  unnote(buffer, Life.kept);
  temporaries.delete(buffer);
  lasting.delete(buffer);
  backend.release(buffer);
}

/**
 * Runs the forward of a module that no other module called; inside of one `fn` just runs. Gives back what was made and
 * neither a gradient nor the caller can want.
 * @param shown what the caller can see: results (undefined after an error), fields of modules; null where that cannot be told
 */
export function pass<R>(fn: () => R, shown: (result: R | undefined) => ReadonlySet<BufferHandle> | null): R {
  if (insidePass) return fn();
  const backend = getBackend();
  backend.openScope();
  insidePass = true;
  let result: R | undefined;
  try {
    result = fn();
    return result;
  } finally {
    insidePass = false;
    const visible = shown(result);
    backend.closeScope({ has: (buffer) => stays(backend, buffer, visible) }, 'module');
  }
}

function stays(backend: Backend, buffer: BufferHandle, visible: ReadonlySet<BufferHandle> | null): boolean {
  if (is(buffer, Life.kept)) return true;
  const isVisible = visible === null || visible.has(buffer);
  if (isVisible) {
    track(backend, buffer, false);
    return true;
  }
  if (!is(buffer, Life.wanted)) return false;
  note(buffer, Life.hidden);
  if (openScopes === 0) lasting.add(backend, buffer);
  return true;
}

/** Runs the gradients of a graph: what they allocate goes at the end, except what is kept. */
export function gradientPass(backend: Backend, fn: () => void): void {
  backend.openScope();
  try {
    fn();
  } finally {
    backend.closeScope(KEPT, 'scope');
  }
}

/** Runs `fn` and gives back what it allocated, except `keep(result)` and kept buffers. Spans `await`. */
export function scoped<R>(fn: () => R, keep: (result: Awaited<R>) => Iterable<BufferHandle>): R {
  const backend = getBackend();
  backend.openScope();
  openScopes++;
  const close = (buffers: Iterable<BufferHandle>) => {
    openScopes--;
    const returned = new Set(buffers);
    const has = (buffer: BufferHandle): boolean => {
      if (returned.has(buffer)) track(backend, buffer, false);
      return returned.has(buffer) || is(buffer, Life.kept);
    };
    backend.closeScope({ has }, 'scope');
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
