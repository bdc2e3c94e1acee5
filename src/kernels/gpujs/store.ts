/**
 * Buffers: who holds which numbers, for how long. float32 and bool lie in the mode's memory, as float32; int32 lies on the
 * host, because no mode computes integers beyond 2²⁴.
 */
import type { BufferHandle, BufferSet, DType, View } from '../backend.ts';
import { type Scoped, Scopes } from '../scopes.ts';
import type { Lane, Slot } from './lane.ts';
import type { Content } from './residence.ts';

/** What a buffer holds; null where it has no elements. */
export type Held = Content | Int32Array | null;

/** Outlives its buffer, so that what a forgotten buffer held can be freed. */
interface Cell {
  slot: Slot<Held> | undefined;
  readonly bytes: number;
}

class GpuBuffer implements Scoped<GpuBuffer> {
  readonly dtype: DType;
  readonly length: number;
  readonly cell: Cell;
  scope: Set<GpuBuffer> | undefined;

  constructor(dtype: DType, length: number, cell: Cell) {
    this.dtype = dtype;
    this.length = length;
    this.cell = cell;
  }
}

export interface Store {
  make(dtype: DType, length: number, slot: Slot<Held>): BufferHandle;
  slotOf(view: View): Slot<Held>;
  /** Moves what `from` holds into `to`, which frees what it held; `from` counts as released. */
  move(from: View, to: View): void;
  release(buffer: BufferHandle): void;
  memory(): { readonly bytes: number; readonly buffers: number };
  openScope(): void;
  closeScope(keep: BufferSet): void;
}

/** `free` gives the memory of a content back; it is called in the order of the lane. */
export function createStore(lane: Lane, free: (content: Content) => void): Store {
  let bytes = 0;
  let buffers = 0;
  const scopes = new Scopes<GpuBuffer>();

  function freeSlot(slot: Slot<Held>): void {
    lane.submit(() => {
      if (!slot.isReady) return; // its work failed: nothing was made
      const held = slot.take();
      if (held !== null && !(held instanceof Int32Array)) free(held);
    });
  }

  function forget(cell: Cell): void {
    cell.slot = undefined;
    bytes -= cell.bytes;
    buffers--;
  }

  /** Nothing where it had gone before. */
  function empty(cell: Cell): void {
    if (cell.slot === undefined) return;
    freeSlot(cell.slot);
    forget(cell);
  }

  const collected = new FinalizationRegistry<Cell>(empty);

  /** An empty buffer needs no one to look after it. */
  function detach(buffer: GpuBuffer): void {
    collected.unregister(buffer);
    scopes.leave(buffer);
  }

  const own = (buffer: BufferHandle): GpuBuffer => {
    if (buffer instanceof GpuBuffer) return buffer;
    throw new Error('gpujs: the buffer belongs to another backend; expected one made by this one');
  };

  function release(handle: BufferHandle): void {
    const buffer = own(handle);
    empty(buffer.cell);
    detach(buffer);
  }

  function slotOf({ buffer }: View): Slot<Held> {
    const { slot } = own(buffer).cell;
    if (slot !== undefined) return slot;
    throw new Error(
      `the memory of this tensor (${buffer.dtype}, ${buffer.length} elements) was released; ` +
        'keep it out of the scope that ended, or do not dispose of it before its last use',
    );
  }

  return {
    make(dtype, length, slot) {
      const cell: Cell = { slot, bytes: 4 * length };
      const buffer = new GpuBuffer(dtype, length, cell);
      bytes += cell.bytes;
      buffers++;
      collected.register(buffer, cell, buffer);
      scopes.join(buffer);
      return buffer;
    },
    slotOf,
    move(from, to) {
      const [next, before] = [slotOf(from), slotOf(to)];
      const source = own(from.buffer);
      own(to.buffer).cell.slot = next;
      freeSlot(before);
      forget(source.cell);
      detach(source);
    },
    release,
    memory: () => ({ bytes, buffers }),
    openScope: () => scopes.open(),
    closeScope: (keep) => scopes.close(keep, release),
  };
}
