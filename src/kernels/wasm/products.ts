/**
 * Which kernel computes a matrix product, and how the work is divided: a list of calls that write different elements of
 * C and may run in any order or at once. The kernel is chosen for the whole product, and all kernels compute an element
 * of C alike wherever it lies, so the bits do not depend on the division.
 */
import { MC, MOST_GEMV_COLUMNS, MOST_GEMV_ROWS, NC } from './generated/signatures.ts';

/** C [m, n] = A [m, k] · B [k, n]: addresses and strides in bytes, rows of C dense. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: number;
  readonly aRow: number;
  readonly aCol: number;
  readonly b: number;
  readonly bRow: number;
  readonly bCol: number;
  readonly c: number;
  readonly cRow: number;
}

type Path = 'gemm' | 'gemmShallow' | 'gemvColumns' | 'gemvRows';

/** What any of them takes; it takes what it needs. */
export interface Part extends Product {
  /** 0: C is written, not added to. */
  readonly add: 0;
}

/** Up to this many rows, reading and packing B takes a good part of the time. */
const MOST_SHALLOW = 32;

/** Parts per thread, so that a thread which starts late or runs slower does not hold up the others. */
const PARTS_PER_THREAD = 3;
/** Smallest part, in multiplications and additions: about 20 µs, several times what handing it over takes. */
const PART_WORK = 1e6;

/** Rows and columns of smaller parts: columns to a cache line, and a multiple of both sides of a tile. */
const SMALL_UNIT = 16;

function pathOf({ m, aCol, bRow, bCol }: Product): Path {
  if (m <= MOST_GEMV_ROWS && aCol === 4 && bRow === 4) return 'gemvRows';
  if (m <= MOST_GEMV_COLUMNS && bCol === 4) return 'gemvColumns';
  return m <= MOST_SHALLOW && bCol === 4 ? 'gemmShallow' : 'gemm';
}

/** A · v as vᵀ · Aᵀ: rows of A take the place of columns of B, and one column of C that of its row. */
function turned(product: Product): Product {
  const { m, n, a, aRow, aCol, b, bRow, bCol, cRow } = product;
  if (n !== 1 || m === 1 || cRow !== 4) return product;
  return { ...product, m: 1, n: m, a: b, aRow: bCol, aCol: bRow, b: a, bRow: aCol, bCol: aRow, cRow: 4 * m };
}

/** The kernel and the calls that compute `products`, of one shape and with equal strides, on so many threads. */
export function productCalls(
  products: readonly Product[],
  threads: number,
): { readonly kernel: Path; readonly calls: Part[] } {
  const wanted = threads > 1 ? threads * PARTS_PER_THREAD : 1;
  const parts = Math.ceil(wanted / products.length);
  const asComputed = products.map(turned);
  const kernel = pathOf(asComputed[0]);
  return { kernel, calls: asComputed.flatMap((product) => partsOf(product, parts, kernel === 'gemm')) };
}

function partsOf(product: Product, wanted: number, byRows: boolean): Part[] {
  const { m, n, k } = product;
  // What bounds a product of a few rows is reading B: it takes the time that four rows take.
  const work = 2 * Math.max(m, 4) * n * k;
  const parts = Math.min(wanted, Math.floor(work / PART_WORK));
  if (parts <= 1) return [partOf(product, 0, m, 0, n)];

  const { rowEnds, columnEnds } = cuts(product, parts, byRows);
  return columnEnds.flatMap((to, j) =>
    rowEnds.map((until, i) => partOf(product, rowEnds[i - 1] ?? 0, until, columnEnds[j - 1] ?? 0, to)),
  );
}

/**
 * Where the rows and columns of C are cut into `parts`: between the blocks that gemm packs if they are enough. Smaller parts
 * pack again what others have packed, A once for each range of columns and B for each of rows, which is least when the parts
 * are square. The other kernels are cut by columns alone: they pack no A worth mentioning.
 */
function cuts(
  { m, n }: Product,
  parts: number,
  byRows: boolean,
): { rowEnds: number[]; columnEnds: number[] } {
  let columns = Math.min(parts, Math.ceil(n / NC));
  let rows = byRows ? Math.min(Math.ceil(parts / columns), Math.ceil(m / MC)) : 1;
  if (rows * columns >= parts) {
    return { rowEnds: byRows ? ends(m, rows, MC) : [m], columnEnds: ends(n, columns, NC) };
  }
  columns = byRows ? Math.max(1, Math.round(Math.sqrt((parts * n) / m))) : parts;
  columns = Math.min(columns, Math.ceil(n / SMALL_UNIT));
  rows = Math.min(Math.ceil(parts / columns), Math.ceil(m / SMALL_UNIT));
  return { rowEnds: byRows ? ends(m, rows, SMALL_UNIT) : [m], columnEnds: ends(n, columns, SMALL_UNIT) };
}

/** Where parts of `size` end, at least `parts` of them if there are so many units: equal but for the last, in whole units. */
function ends(size: number, parts: number, unit: number): number[] {
  const units = Math.ceil(size / unit);
  const step = Math.max(1, Math.floor(units / parts)) * unit;
  return Array.from({ length: Math.ceil(size / step) }, (_, part) => Math.min(size, (part + 1) * step));
}

/** Rows [i, until) and columns [j, to) of C. */
function partOf(product: Product, i: number, until: number, j: number, to: number): Part {
  const { aRow, bCol, cRow } = product;
  return {
    ...product,
    m: until - i,
    n: to - j,
    a: product.a + i * aRow,
    b: product.b + j * bCol,
    c: product.c + i * cRow + 4 * j,
    add: 0,
  };
}
