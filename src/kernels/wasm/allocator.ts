/**
 * Which stretches of a growing address range are in use: two-level segregated fit (Masmano et al., "TLSF: a new dynamic
 * memory allocator for real-time systems", 2004). Allocating and freeing take constant time and neighbours that are
 * free are joined, so long runs with changing sizes do not break the memory into splinters.
 *
 * Addresses and sizes are counted in units of {@link UNIT} bytes, which keeps 4 GiB inside 32-bit integers. The books
 * are kept in JavaScript objects: the managed memory itself is never touched.
 */

/** Bytes per unit: a cache line, so that every buffer begins on one. */
export const UNIT = 64;

/** Each power of two is divided into this many lists. */
const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;

/** A stretch of memory, linked with its neighbours by address and, while free, with others of its size. */
export interface Block {
  /** First unit and number of units. */
  start: number;
  size: number;
  free: boolean;
  before: Block | null;
  after: Block | null;
  previousFree: Block | null;
  nextFree: Block | null;
}

/** The list of blocks whose size is at least that of the list's class: class(size) rounded down. */
function classOf(size: number): number {
  if (size < STEPS) return size;
  const power = 31 - Math.clz32(size);
  return ((power - STEP_BITS + 1) << STEP_BITS) + ((size >>> (power - STEP_BITS)) - STEPS);
}

export class Allocator {
  #end: number;
  #last: Block | null = null;
  readonly #lists: (Block | null)[] = new Array<Block | null>((32 - STEP_BITS) * STEPS).fill(null);
  /** Bit c of #used: list c is not empty, 32 lists to a number. */
  readonly #used = new Int32Array(((32 - STEP_BITS) * STEPS) / 32);

  /** Manages nothing at first; memory begins at unit `start`. */
  constructor(start: number) {
    this.#end = start;
  }

  /** Where the managed memory ends, in units. */
  get end(): number {
    return this.#end;
  }

  /** Units that are free at the end, which a larger request need not grow by. */
  get freeAtEnd(): number {
    return this.#last?.free ? this.#last.size : 0;
  }

  /** Adds `size` units at the end. */
  grow(size: number): void {
    const block: Block = {
      start: this.#end,
      size,
      free: false,
      before: this.#last,
      after: null,
      previousFree: null,
      nextFree: null,
    };
    if (this.#last) this.#last.after = block;
    this.#last = block;
    this.#end += size;
    this.free(block);
  }

  /** A block of at least `size` ≥ 1 units, or null if none is free. */
  allocate(size: number): Block | null {
    // Every block of the next class above fits, so the first one found is taken without a search.
    const power = 31 - Math.clz32(size);
    const rounded = size < STEPS ? size : size + (1 << (power - STEP_BITS)) - 1;
    const block = this.#firstFrom(classOf(rounded)) ?? this.#fitting(size);
    if (block === null) return null;
    this.#unlist(block);
    block.free = false;
    if (block.size > size) this.#split(block, size);
    return block;
  }

  free(block: Block): void {
    let whole = block;
    if (whole.before?.free) {
      const before = whole.before;
      this.#unlist(before);
      this.#join(before, whole);
      whole = before;
    }
    if (whole.after?.free) {
      const after = whole.after;
      this.#unlist(after);
      this.#join(whole, after);
    }
    whole.free = true;
    const list = classOf(whole.size);
    const head = this.#lists[list];
    whole.previousFree = null;
    whole.nextFree = head;
    if (head) head.previousFree = whole;
    this.#lists[list] = whole;
    this.#used[list >> 5] |= 1 << (list & 31);
  }

  /** The list of size's own class may hold a block large enough; looked through only when no class above has one. */
  #fitting(size: number): Block | null {
    for (let block = this.#lists[classOf(size)]; block; block = block.nextFree) {
      if (block.size >= size) return block;
    }
    return null;
  }

  #firstFrom(list: number): Block | null {
    let word = list >> 5;
    let bits = this.#used[word] & (-1 << (list & 31));
    while (bits === 0) {
      word += 1;
      if (word === this.#used.length) return null;
      bits = this.#used[word];
    }
    return this.#lists[(word << 5) + (31 - Math.clz32(bits & -bits))];
  }

  #unlist(block: Block): void {
    if (block.nextFree) block.nextFree.previousFree = block.previousFree;
    if (block.previousFree) block.previousFree.nextFree = block.nextFree;
    else {
      const list = classOf(block.size);
      this.#lists[list] = block.nextFree;
      if (block.nextFree === null) this.#used[list >> 5] &= ~(1 << (list & 31));
    }
    block.previousFree = null;
    block.nextFree = null;
  }

  #split(block: Block, size: number): void {
    const rest: Block = {
      start: block.start + size,
      size: block.size - size,
      free: false,
      before: block,
      after: block.after,
      previousFree: null,
      nextFree: null,
    };
    if (rest.after) rest.after.before = rest;
    else this.#last = rest;
    block.size = size;
    block.after = rest;
    this.free(rest);
  }

  #join(first: Block, second: Block): void {
    first.size += second.size;
    first.after = second.after;
    if (second.after) second.after.before = first;
    else this.#last = first;
  }
}
