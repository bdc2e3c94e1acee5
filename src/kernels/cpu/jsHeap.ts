/**
 * Heap on the JavaScript heap: each buffer is a typed array of its own, the garbage collector is the safety net.
 *
 * A wide heap holds float32 tensors in double precision, as C does where FLT_EVAL_METHOD is 2: results of kernels are
 * not rounded on the way from one to the next, only where a tensor is read, cast, or updated by the optimiser.
 */
import type { BufferHandle, DType, HostArray, ReleasedBy } from '../backend.ts';
import type { Heap, HostBuffer } from '../heap.ts';
import { Finalisers, releasedMessage, type Scoped, Scopes } from '../scopes.ts';
import { HOST_ARRAY } from '../views.ts';

class JsBuffer implements HostBuffer, Scoped<JsBuffer> {
  readonly dtype: DType;
  readonly length: number;
  scope: Set<JsBuffer> | undefined;
  releasedBy: ReleasedBy | undefined;
  life = 0;
  version = 0;
  /** Counted no more, though it has its numbers. */
  parked = false;
  watched = false;
  #data: HostArray | undefined;

  constructor(data: HostArray, dtype: DType) {
    this.#data = data;
    this.dtype = dtype;
    this.length = data.length;
  }

  get data(): HostArray {
    if (this.#data === undefined) throw new Error(releasedMessage(this));
    return this.#data;
  }

  /** Lets go of the numbers and says how many bytes they were; undefined where they had gone before. */
  drop(): number | undefined {
    const bytes = this.#data?.byteLength;
    this.#data = undefined;
    return bytes;
  }
}

export interface JsHeapOptions {
  /** Holds float32 in Float64Arrays; default false. */
  readonly wide?: boolean;
}

/**
 * A heap of typed arrays. `memory()` counts a buffer from `allocate` until `release`, `park`, or until it was garbage collected.
 * An open scope holds on to what was made in it, so that inside a scope only release and closeScope give memory back.
 */
export function createJsHeap({ wide = false }: JsHeapOptions = {}): Heap {
  const arrays = wide ? { ...HOST_ARRAY, float32: Float64Array } : HOST_ARRAY;
  let bytes = 0;
  let buffers = 0;
  const forget = (size: number) => {
    bytes -= size;
    buffers--;
  };
  const finalisers = new Finalisers<JsBuffer, number>(forget);
  const scopes = new Scopes<JsBuffer>((buffer) => finalisers.watch(buffer, buffer.data.byteLength));

  const own = (handle: BufferHandle): JsBuffer => {
    if (handle instanceof JsBuffer) return handle;
    throw new Error('the buffer belongs to another backend; expected one made by this heap');
  };

  /** From here on it is the garbage collector's affair alone. */
  function uncount(buffer: JsBuffer, size: number): void {
    if (buffer.parked) return;
    finalisers.unwatch(buffer);
    forget(size);
  }

  function release(handle: BufferHandle, by: ReleasedBy = 'dispose'): void {
    const buffer = own(handle);
    const size = buffer.drop();
    if (size === undefined) return;
    buffer.releasedBy = by;
    uncount(buffer, size);
    scopes.leave(buffer);
  }

  return {
    allocate(dtype, length) {
      const data = new arrays[dtype](length);
      const buffer = new JsBuffer(data, dtype);
      bytes += data.byteLength;
      buffers++;
      scopes.join(buffer);
      return buffer;
    },
    release,
    park(handle) {
      const buffer = own(handle);
      if (buffer.scope !== undefined || buffer.releasedBy !== undefined) return;
      uncount(buffer, buffer.data.byteLength);
      buffer.parked = true;
    },
    memory: () => ({ bytes, buffers }),
    openScope: () => scopes.open(),
    closeScope: (keep, by = 'scope') => scopes.close(keep, by, release),
  };
}
