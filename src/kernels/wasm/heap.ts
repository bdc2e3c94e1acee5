/**
 * Tensors in WebAssembly memory. One memory serves the compiled kernels and, through typed-array views, the plain
 * TypeScript kernels, so nothing is copied between them.
 *
 * Memory comes back in four ways: `release` now, `closeScope` for everything made since `openScope`, `park`, which moves
 * the numbers to JavaScript's memory until they are used again, and a FinalizationRegistry for handles nobody holds any
 * more. Growing the memory detaches all views of it; a handle makes
 * its view anew when it sees that, so only views held across an allocation go stale.
 */
import type { BufferHandle, BufferSet, DType, HostArray, ReleasedBy, View } from '../backend.ts';
import type { Heap, HostBuffer } from '../heap.ts';
import { Finalisers, releasedMessage, type Scoped, Scopes } from '../scopes.ts';
import { Allocator, type Block, UNIT } from './allocator.ts';

const PAGE = 65536;
const MIB = 1 << 20;
/** Pages a 32-bit memory can have: 4 GiB. */
export const MAX_PAGES = 65536;
/** Growing is slow, so it is done in steps of at least 16 MiB and a quarter of what there is. */
const MIN_GROWTH_PAGES = 256;
const BYTES: { readonly [D in DType]: number } = { float32: 4, float64: 8, int32: 4, bool: 1 };

const bytesOf = ({ dtype, length }: BufferHandle): number => length * BYTES[dtype];

function viewOf(memory: ArrayBufferLike, dtype: DType, pointer: number, length: number): HostArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(memory, pointer, length);
    case 'float64':
      return new Float64Array(memory, pointer, length);
    case 'int32':
      return new Int32Array(memory, pointer, length);
    case 'bool':
      return new Uint8Array(memory, pointer, length);
  }
}

/** A buffer in WebAssembly memory, made by {@link WasmHeap.allocate}. */
export class WasmBuffer implements HostBuffer, Scoped<WasmBuffer> {
  readonly dtype: DType;
  readonly length: number;
  /** Where it lies; null once released, and while parked. Only the heap writes it. */
  block: Block | null;
  /** Its numbers, while parked. Only the heap writes it. */
  parked: HostArray | null = null;
  readonly heap: WasmHeap;
  scope: Set<WasmBuffer> | undefined;
  releasedBy: ReleasedBy | undefined;
  watched = false;
  life = 0;
  version = 0;
  #view: HostArray | null = null;

  constructor(heap: WasmHeap, dtype: DType, length: number, block: Block) {
    this.dtype = dtype;
    this.length = length;
    this.block = block;
    this.heap = heap;
  }

  /** Address of the first element in bytes. Brings back what was parked, for which memory may grow. */
  get pointer(): number {
    if (this.parked !== null) this.heap.unpark(this);
    if (this.block === null) throw new Error(releasedMessage(this));
    return this.block.start * UNIT;
  }

  /** In JavaScript's memory while parked. */
  get data(): HostArray {
    if (this.parked !== null) return this.parked;
    const { pointer } = this;
    const memory = this.heap.buffer;
    if (this.#view?.buffer !== memory || this.#view.byteOffset !== pointer)
      this.#view = viewOf(memory, this.dtype, pointer, this.length);
    return this.#view;
  }
}

/** What the finaliser needs to free a buffer, without holding its handle. */
interface Claim {
  readonly block: Block;
  readonly bytes: number;
}

export class WasmHeap implements Heap {
  readonly wasmMemory: WebAssembly.Memory;
  readonly #allocator: Allocator;
  readonly #maxPages: number;
  readonly #scopes = new Scopes<WasmBuffer>((buffer) => this.#watch(buffer));
  readonly #finalisers = new Finalisers<WasmBuffer, Claim>(({ block, bytes }) => this.#free(block, bytes));
  #buffer: ArrayBufferLike;
  #bytes = 0;
  #buffers = 0;

  /**
   * @param reserved bytes at the beginning that are never handed out.
   * @param maxPages where growth ends, in pages of 64 KiB; at most 65536 (4 GiB).
   * @param shared whether threads see the memory. Throws a RangeError where the engine has no room for it.
   */
  constructor(reserved: number, maxPages: number = MAX_PAGES, shared = false) {
    const pages = Math.min(maxPages, Math.ceil(reserved / PAGE) + MIN_GROWTH_PAGES);
    this.wasmMemory = new WebAssembly.Memory({ initial: pages, maximum: maxPages, shared });
    this.#buffer = this.wasmMemory.buffer;
    this.#maxPages = maxPages;
    this.#allocator = new Allocator(Math.ceil(reserved / UNIT));
    this.#allocator.grow((pages * PAGE) / UNIT - this.#allocator.end);
  }

  /** The memory's present buffer; another one after it has grown. */
  get buffer(): ArrayBufferLike {
    return this.#buffer;
  }

  allocate(dtype: DType, length: number, zero: boolean): WasmBuffer {
    const block = this.#place(dtype, length);
    if (zero) new Uint8Array(this.#buffer, block.start * UNIT, length * BYTES[dtype]).fill(0);
    const buffer = new WasmBuffer(this, dtype, length, block);
    this.#count(1, bytesOf(buffer));
    this.#scopes.join(buffer);
    return buffer;
  }

  /** A free block for the elements; memory grows where there is none. */
  #place(dtype: DType, length: number): Block {
    const bytes = length * BYTES[dtype];
    const units = Math.max(1, Math.ceil(bytes / UNIT));
    let block = this.#allocator.allocate(units);
    if (block === null) {
      this.#grow(units, dtype, length);
      block = this.#allocator.allocate(units);
      if (block === null) throw new Error(this.#full(dtype, length));
    }
    return block;
  }

  #count(buffers: number, bytes: number): void {
    this.#bytes += bytes;
    this.#buffers += buffers;
  }

  #watch(buffer: WasmBuffer): void {
    const { block } = buffer;
    if (block !== null) this.#finalisers.watch(buffer, { block, bytes: bytesOf(buffer) });
  }

  /** Address of `bytes` bytes that are never given back and not counted: the kernels' own working memory. */
  reserve(bytes: number): number {
    const buffer = this.allocate('bool', bytes, true);
    const { pointer } = buffer;
    this.#finalisers.unwatch(buffer);
    this.#scopes.leave(buffer);
    this.#count(-1, -bytes);
    return pointer;
  }

  /** Idempotent. */
  release(handle: BufferHandle, by: ReleasedBy = 'dispose'): void {
    const buffer = this.#own(handle);
    if (buffer.block === null && buffer.parked === null) return;
    this.#leaveBlock(buffer);
    buffer.parked = null;
    buffer.releasedBy = by;
    this.#scopes.leave(buffer);
  }

  park(handle: BufferHandle): void {
    const buffer = this.#own(handle);
    if (buffer.block === null || buffer.scope !== undefined) return;
    buffer.parked = buffer.data.slice();
    this.#leaveBlock(buffer);
  }

  /** Brings a parked buffer back. Addresses stay as they are; views of the memory may be detached, as by `allocate`. */
  unpark(buffer: WasmBuffer): void {
    if (buffer.parked === null) return;
    const block = this.#place(buffer.dtype, buffer.length);
    viewOf(this.#buffer, buffer.dtype, block.start * UNIT, buffer.length).set(buffer.parked);
    buffer.block = block;
    buffer.parked = null;
    this.#count(1, bytesOf(buffer));
    this.#watch(buffer);
  }

  #leaveBlock(buffer: WasmBuffer): void {
    if (buffer.block === null) return;
    this.#finalisers.unwatch(buffer);
    this.#free(buffer.block, bytesOf(buffer));
    buffer.block = null;
  }

  /** Address in bytes of a view's first element. Growing the memory leaves it as it is. */
  addressOf(view: View): number {
    const buffer = this.#own(view.buffer);
    return buffer.pointer + view.offset * BYTES[buffer.dtype];
  }

  memory(): { readonly bytes: number; readonly buffers: number } {
    return { bytes: this.#bytes, buffers: this.#buffers };
  }

  openScope(): void {
    this.#scopes.open();
  }

  closeScope(keep: BufferSet, by: ReleasedBy = 'scope'): void {
    this.#scopes.close(keep, by, (buffer) => this.release(buffer, by));
  }

  #own(handle: BufferHandle): WasmBuffer {
    if (handle instanceof WasmBuffer && handle.heap === this) return handle;
    throw new Error(
      `wasm: got a ${handle.dtype} buffer of ${handle.length} elements that another backend made`,
    );
  }

  #free(block: Block, bytes: number): void {
    this.#allocator.free(block);
    this.#count(-1, -bytes);
  }

  /** Makes room for `units` more at the end. */
  #grow(units: number, dtype: DType, length: number): void {
    const present = this.#buffer.byteLength / PAGE;
    const needed = Math.ceil(((units - this.#allocator.freeAtEnd) * UNIT) / PAGE);
    const room = this.#maxPages - present;
    if (needed > room) throw new Error(this.#full(dtype, length));
    const generous = Math.min(room, Math.max(needed, MIN_GROWTH_PAGES, present >> 2));
    const pages = this.#tryGrow(generous) ? generous : this.#tryGrow(needed) ? needed : 0;
    if (pages === 0) throw new Error(this.#full(dtype, length));
    this.#buffer = this.wasmMemory.buffer;
    this.#allocator.grow((pages * PAGE) / UNIT);
  }

  #tryGrow(pages: number): boolean {
    try {
      this.wasmMemory.grow(pages);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  #full(dtype: DType, length: number): string {
    const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
    return (
      `wasm: no memory for a ${dtype} buffer of ${length} elements (${mib(length * BYTES[dtype])}): ` +
      `${mib(this.#bytes)} in ${this.#buffers} buffers are in use, the memory has ` +
      `${mib(this.#buffer.byteLength)} and ends at ${mib(this.#maxPages * PAGE)}. ` +
      'Release tensors (work inside a scope, use noGrad where no gradient is needed), take a smaller batch or ' +
      'shorter sequences, or use the cpu backend, whose memory is bounded only by the process.'
    );
  }
}
