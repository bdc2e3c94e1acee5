/**
 * Buffers: who holds which numbers, for how long. float32 and bool lie in the mode's memory, as float32; int32 lies on the
 * host, because no mode computes integers beyond 2²⁴.
 */
import type { BufferHandle, BufferSet, DType, ReleasedBy, View } from '../backend.ts';
import { Finalisers, releasedMessage, type Scoped, Scopes } from '../scopes.ts';
import type { Device } from './device.ts';
import type { Lane, Slot } from './lane.ts';
import type { Content } from './residence.ts';

/** What a buffer holds; null where it has no elements. */
export type Held = Content | Int32Array | null;

/** Outlives its buffer, so that what a forgotten buffer held can be freed. */
interface Cell {
  slot: Slot<Held> | undefined;
  readonly bytes: number;
}

/** Where the numbers of a buffer that nobody is known to need are. */
type Parked = 'waiting' | 'host';

class GpuBuffer implements Scoped<GpuBuffer> {
  readonly dtype: DType;
  readonly length: number;
  readonly cell: Cell;
  scope: Set<GpuBuffer> | undefined;
  releasedBy: ReleasedBy | undefined;
  parked: Parked | undefined;
  watched = false;
  life = 0;
  version = 0;

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
  release(buffer: BufferHandle, by?: ReleasedBy): void;
  park(buffer: BufferHandle): void;
  memory(): { readonly bytes: number; readonly buffers: number };
  openScope(): void;
  closeScope(keep: BufferSet, by?: ReleasedBy): void;
}

/**
 * Parked buffers stay on a device until there are so many bytes of them: to fetch one means to wait for the device, and
 * most are forgotten.
 */
const MOST_WAITING = 64 * 2 ** 20;

export function createStore(
  lane: Lane,
  device: Pick<Device, 'free' | 'upload' | 'download' | 'residence'>,
): Store {
  const { onDevice } = device.residence;
  let bytes = 0;
  let buffers = 0;
  /** Parked buffers whose numbers are on the device, oldest first. */
  const waiting = new Set<GpuBuffer>();
  let waitingBytes = 0;

  function freeSlot(slot: Slot<Held>): void {
    lane.submit(() => {
      if (!slot.isReady) return; // its work failed: nothing was made
      const held = slot.take();
      if (held !== null && !(held instanceof Int32Array)) device.free(held);
    });
  }

  function uncount({ bytes: size }: Pick<Cell, 'bytes'>): void {
    bytes -= size;
    buffers--;
  }

  /** A buffer that was forgotten: what it held on a device goes; on the host it has gone with the buffer. */
  const finalisers = new Finalisers<GpuBuffer, Pick<Cell, 'bytes'> | Cell>((cell) => {
    if ('slot' in cell && cell.slot !== undefined) freeSlot(cell.slot);
    uncount(cell);
  });

  function count({ cell }: GpuBuffer): void {
    bytes += cell.bytes;
    buffers++;
  }

  /** The numbers on the host hang on the buffer alone, so that they can be collected together. */
  function watch(buffer: GpuBuffer): void {
    const { cell } = buffer;
    finalisers.watch(buffer, onDevice ? cell : { bytes: cell.bytes });
  }

  const scopes = new Scopes<GpuBuffer>(watch);

  /** An empty buffer, or one on the host that JavaScript looks after, needs no one else to. */
  function unwatch(buffer: GpuBuffer): void {
    finalisers.unwatch(buffer);
    uncount(buffer.cell);
  }

  const own = (buffer: BufferHandle): GpuBuffer => {
    if (buffer instanceof GpuBuffer) return buffer;
    throw new Error('gpujs: the buffer belongs to another backend; expected one made by this one');
  };

  function leaveWaiting(buffer: GpuBuffer): void {
    if (waiting.delete(buffer)) waitingBytes -= buffer.cell.bytes;
  }

  /** Empties a buffer, whose slot is the caller's now. */
  function emptied(buffer: GpuBuffer, by: ReleasedBy): Slot<Held> | undefined {
    const { slot } = buffer.cell;
    if (slot === undefined) return undefined;
    if (buffer.parked !== 'host') unwatch(buffer);
    leaveWaiting(buffer);
    buffer.cell.slot = undefined;
    buffer.releasedBy = by;
    scopes.leave(buffer);
    return slot;
  }

  function release(handle: BufferHandle, by: ReleasedBy = 'dispose'): void {
    const buffer = own(handle);
    const onHost = buffer.parked === 'host';
    const slot = emptied(buffer, by);
    if (slot !== undefined && !onHost) freeSlot(slot);
  }

  /** Fetches the numbers of a buffer and frees them on the device. */
  function fetch(buffer: GpuBuffer): void {
    const { slot } = buffer.cell;
    if (slot === undefined) return;
    unwatch(buffer);
    leaveWaiting(buffer);
    buffer.parked = 'host';
    if (!onDevice || buffer.dtype === 'int32' || buffer.length === 0) return;
    buffer.cell.slot = lane.submit<Held>(() => device.download(slot.take() as Content, 0, buffer.length));
    freeSlot(slot);
  }

  function bringBack(buffer: GpuBuffer): void {
    const { parked, cell } = buffer;
    buffer.parked = undefined;
    if (parked === 'waiting') leaveWaiting(buffer);
    if (parked !== 'host') return;
    count(buffer);
    watch(buffer);
    const { slot } = cell;
    if (slot === undefined || buffer.dtype === 'int32' || buffer.length === 0) return;
    cell.slot = lane.submit<Held>(() => device.upload(slot.take() as Float32Array));
  }

  function slotOf({ buffer: handle }: View): Slot<Held> {
    const buffer = own(handle);
    if (onDevice && buffer.parked !== undefined && buffer.cell.slot !== undefined) bringBack(buffer);
    const { slot } = buffer.cell;
    if (slot !== undefined) return slot;
    throw new Error(releasedMessage(buffer));
  }

  return {
    make(dtype, length, slot) {
      const buffer = new GpuBuffer(dtype, length, { slot, bytes: 4 * length });
      count(buffer);
      scopes.join(buffer);
      return buffer;
    },
    slotOf,
    move(from, to) {
      const [next, before] = [slotOf(from), slotOf(to)];
      emptied(own(from.buffer), 'dispose');
      own(to.buffer).cell.slot = next;
      freeSlot(before);
    },
    release,
    park(handle) {
      const buffer = own(handle);
      if (buffer.scope !== undefined || buffer.parked !== undefined || buffer.cell.slot === undefined) return;
      if (!onDevice) {
        fetch(buffer);
        return;
      }
      buffer.parked = 'waiting';
      waiting.add(buffer);
      waitingBytes += buffer.cell.bytes;
      for (const oldest of waiting) {
        if (waitingBytes <= MOST_WAITING) break;
        fetch(oldest);
      }
    },
    memory: () => ({ bytes, buffers }),
    openScope: () => scopes.open(),
    closeScope: (keep, by = 'scope') => scopes.close(keep, by, release),
  };
}
