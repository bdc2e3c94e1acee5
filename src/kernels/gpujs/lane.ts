/**
 * The order in which kernels run. Every mode but WebGPU answers before the call returns: its lane runs work at once.
 * GPU.js answers on WebGPU with promises, so there the lane is a queue: work runs when all earlier work is done, and
 * results are slots that fill in that order. Kernels are written once, for slots.
 */

/** A result that is there, or will be, or failed. */
export class Slot<T> {
  #state: { readonly value: T } | { readonly error: unknown } | undefined;
  /** Resolves, never rejects, when the state is known. */
  settled: Promise<void> = Promise.resolve();

  static of<T>(value: T): Slot<T> {
    const slot = new Slot<T>();
    slot.#state = { value };
    return slot;
  }

  get isReady(): boolean {
    return this.#state !== undefined && 'value' in this.#state;
  }

  /** The value. Throws the error of the work that was to make it. */
  take(): T {
    if (this.#state === undefined) throw new Error('gpujs: a result was taken before it was computed');
    if ('error' in this.#state) throw this.#state.error;
    return this.#state.value;
  }

  succeed(value: T): void {
    this.#state = { value };
  }

  fail(error: unknown): void {
    this.#state = { error };
  }
}

export interface Lane {
  /** True where results come later. */
  readonly waits: boolean;
  /**
   * Runs `work` after all work given before, at once where the lane does not wait; what work takes from earlier slots
   * is there by then. Throws what work throws where it runs at once; else the slot does, when taken.
   */
  submit<T>(work: () => T | Promise<T>): Slot<T>;
}

export const immediateLane: Lane = {
  waits: false,
  submit<T>(work: () => T | Promise<T>): Slot<T> {
    const value = work();
    if (value instanceof Promise)
      throw new Error('gpujs: GPU.js answered with a promise where it should not');
    return Slot.of(value);
  },
};

export function queuedLane(): Lane {
  let last: Promise<void> = Promise.resolve();
  return {
    waits: true,
    submit<T>(work: () => T | Promise<T>): Slot<T> {
      const slot = new Slot<T>();
      last = last.then(async () => {
        try {
          slot.succeed(await work());
        } catch (error) {
          slot.fail(error);
        }
      });
      slot.settled = last;
      return slot;
    },
  };
}
