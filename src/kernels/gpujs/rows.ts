/** What kernels of whole rows share: dense [R, N] data, one thread per row for sums and maxima, one per element for results. */
import type { View } from '../backend.ts';
import { sizeOf } from '../views.ts';
import { requireCountable } from './engine.ts';
import { split } from './program.ts';

export interface RowSizes {
  /** R, all axes but the last. */
  readonly rows: number;
  /** N, the last axis. */
  readonly width: number;
  /** Shape of one number per row: the last axis stays with size 1. */
  readonly perRow: number[];
}

export function rowSizes(kernel: string, x: View): RowSizes {
  const width = x.shape[x.shape.length - 1] ?? 1;
  const perRow = x.shape.length === 0 ? [] : [...x.shape.slice(0, -1), 1];
  const rows = sizeOf(perRow);
  requireCountable(kernel, rows, [width]);
  return { rows, width, perRow };
}

/** Element k of row `row` of x, both integer texts. */
export const at = (x: string, row: string, k: string) => `${x}[${row} * width + ${k} + ${x}At]`;

/** The row of this thread where a thread makes one number of a row. */
export const ROW = 'this.thread.x';

/** Declares `row` and `column` of this thread's element of [R, width]. */
export const ELEMENT = split('row', 'column', 'this.thread.x', 'width');
/** This thread's element of x. */
export const element = (x: string) => `${x}[this.thread.x + ${x}At]`;
/** This thread's row's number in x, a list of one number per row. */
export const ofRow = (x: string, row = '~~row') => `${x}[${row} + ${x}At]`;
