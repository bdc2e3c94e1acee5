/** Who is in which scope: what `openScope` and `closeScope` of a backend (backend.ts) mean for its buffers. */
import type { BufferHandle, BufferSet } from './backend.ts';

/** A buffer that knows the scope which will release it; undefined outside of scopes. */
export interface Scoped<B> extends BufferHandle {
  scope: Set<B> | undefined;
}

/** Scopes nest; a buffer belongs to the innermost at most. */
export class Scopes<B extends Scoped<B>> {
  readonly #open: Set<B>[] = [];

  /** Puts a buffer into the innermost scope, if one is open. */
  join(buffer: B): void {
    buffer.scope = this.#open.at(-1);
    buffer.scope?.add(buffer);
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
  close(keep: BufferSet, release: (buffer: B) => void): void {
    const scope = this.#open.pop();
    if (scope === undefined)
      throw new Error('closeScope: no scope is open; called without a matching openScope');
    for (const buffer of scope) {
      if (keep.has(buffer)) this.join(buffer);
      else release(buffer);
    }
  }
}
