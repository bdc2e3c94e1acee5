/** Who is in which scope: what `openScope` and `closeScope` of a backend (backend.ts) mean for its buffers. */
import type { BufferHandle, BufferSet, ReleasedBy } from './backend.ts';

/** A buffer that knows the scope which will release it; undefined outside of scopes. */
export interface Scoped<B> extends BufferHandle {
  scope: Set<B> | undefined;
  /** Who gave its memory back; undefined while it has some. */
  releasedBy: ReleasedBy | undefined;
  /** Has a finaliser; only `Finalisers` writes it. */
  watched: boolean;
}

/**
 * What happens to the memory of buffers that nobody refers to any more. Registering takes time, so a buffer that a scope holds on
 * to has no finaliser.
 */
export class Finalisers<B extends Pick<Scoped<B>, 'watched'>, Claim> {
  readonly #registry: FinalizationRegistry<Claim>;

  /** @param free is given the claim of a buffer that was collected: what is needed to free it, without holding its handle */
  constructor(free: (claim: Claim) => void) {
    this.#registry = new FinalizationRegistry(free);
  }

  watch(buffer: B, claim: Claim): void {
    buffer.watched = true;
    this.#registry.register(buffer, claim, buffer);
  }

  unwatch(buffer: B): void {
    if (buffer.watched) this.#registry.unregister(buffer);
    buffer.watched = false;
  }
}

const ADVICE: { readonly [R in ReleasedBy]: string } = {
  dispose: 'dispose() gave it back; do not dispose of it before its last use',
  scope:
    'the scope it was made in has ended; keep it out of the scope, return it from there, or call keep() on it',
  module:
    'it was made inside a module, which neither returned it nor holds it in a field; call keep() on it where it is made',
  backward:
    'backward() gave it back: it was made inside a module, and the gradient had no more use for it. Call keep() on it ' +
    'where it is made, or use backward(seed, { retainGraph: true })',
};

/** For whoever uses a buffer after its release: who released it, and how it would have been kept. */
export function releasedMessage({
  dtype,
  length,
  releasedBy = 'dispose',
}: Omit<Scoped<never>, 'scope' | 'watched'>): string {
  return `the memory of this tensor (${dtype}, ${length} elements) was released: ${ADVICE[releasedBy]}`;
}

/** Scopes nest; a buffer belongs to the innermost at most. */
export class Scopes<B extends Scoped<B>> {
  readonly #open: Set<B>[] = [];
  readonly #outside: (buffer: B) => void;

  /** @param outside told of a buffer that no scope holds on to (any more): the garbage collector may find it */
  constructor(outside: (buffer: B) => void) {
    this.#outside = outside;
  }

  /** Puts a buffer into the innermost scope, if one is open. */
  join(buffer: B): void {
    buffer.scope = this.#open.at(-1);
    if (buffer.scope === undefined) this.#outside(buffer);
    else buffer.scope.add(buffer);
  }

  /** Takes a buffer out of its scope, which then no longer holds on to it. */
  leave(buffer: B): void {
    buffer.scope?.delete(buffer);
    buffer.scope = undefined;
  }

  open(): void {
    this.#open.push(new Set());
  }

  /** Releases what is in the innermost scope, except `keep`, which passes to the scope around it. */
  close(keep: BufferSet, by: ReleasedBy, release: (buffer: B, by: ReleasedBy) => void): void {
    const scope = this.#open.pop();
    if (scope === undefined)
      throw new Error('closeScope: no scope is open; called without a matching openScope');
    for (const buffer of scope) {
      if (keep.has(buffer)) this.join(buffer);
      else release(buffer, by);
    }
  }
}
