/**
 * Tensors as text, the way NumPy prints arrays: all numbers up to a thousand, beyond that the first and last three of each
 * axis; as many digits as tell a number of its dtype from its neighbours, eight at most; one column width for all.
 */
import { type Backend, type DType, sizeOf, sliceView, type View } from '../kernels/index.ts';

/** Numbers that are printed whole, and how many of each end of an axis beyond that. */
const MOST = 1000;
const EDGE = 3;
const LINE = 75;
const DIGITS = 8;

/** Row-major numbers in brackets, or null where they are to come: the end of what is shown of an axis. */
type Shown = number | null | readonly Shown[];

/** The numbers of a view. Throws where they cannot be read without waiting. */
export function formatNumbers(k: Backend, view: View): string {
  const { dtype } = view.buffer;
  const shown = sizeOf(view.shape) > MOST ? edges(k, view) : whole(Array.from(k.readSync(view)), view.shape);
  const format = formatOf(dtype, leaves(shown));
  return joined(shown, format, view.shape.length - 1, '');
}

function whole(numbers: readonly number[], shape: readonly number[]): Shown {
  if (shape.length === 0) return numbers[0];
  const [n, ...inner] = shape;
  const step = numbers.length / Math.max(n, 1);
  return Array.from({ length: n }, (_, i) => whole(numbers.slice(i * step, (i + 1) * step), inner));
}

/** Reads only what is shown. */
function edges(k: Backend, view: View, axis = 0): Shown {
  if (axis === view.shape.length) return k.readSync(view)[0];
  const n = view.shape[axis];
  const at = (from: number, count: number): Shown[] =>
    Array.from({ length: count }, (_, i) => edges(k, sliceView(view, axis, from + i, 1), axis + 1));
  return n > 2 * EDGE ? [...at(0, EDGE), null, ...at(n - EDGE, EDGE)] : at(0, n);
}

function leaves(shown: Shown): number[] {
  if (shown === null) return [];
  return typeof shown === 'number' ? [shown] : shown.flatMap(leaves);
}

type Format = (x: number) => string;

function formatOf(dtype: DType, numbers: readonly number[]): Format {
  const text =
    dtype === 'bool'
      ? (x: number) => (x === 0 ? 'false' : 'true')
      : dtype === 'int32'
        ? String
        : floatFormat(dtype, numbers);
  const width = Math.max(0, ...numbers.map((x) => text(x).length));
  return (x) => text(x).padStart(width);
}

function floatFormat(dtype: DType, numbers: readonly number[]): Format {
  const finite = numbers.filter(Number.isFinite);
  const sizes = finite.map(Math.abs).filter((x) => x !== 0);
  const [largest, smallest] = [Math.max(...sizes), Math.min(...sizes)];
  const scientific = sizes.length > 0 && (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e3);
  const parts = finite.map((x) => (scientific ? exponential(dtype, x) : fixed(dtype, x)));
  const decimals = Math.max(0, ...parts.map(({ fraction }) => fraction.length));
  return (x) => {
    if (!Number.isFinite(x)) return String(x).replace('Infinity', 'inf').toLowerCase();
    if (scientific) return x.toExponential(decimals).replace(/e([+-])(\d)$/, 'e$10$2');
    const { whole, fraction } = fixed(dtype, x);
    return `${whole}.${fraction.padEnd(decimals)}`;
  };
}

/** The shortest decimal that is read as this number, of at most eight digits. */
function shortest(dtype: DType, x: number): number {
  const stored = (value: number) => (dtype === 'float32' ? Math.fround(value) : value);
  for (let digits = 1; digits < DIGITS; digits++) {
    const value = Number(x.toPrecision(digits));
    if (stored(value) === stored(x)) return value;
  }
  return Number(x.toPrecision(DIGITS));
}

function fixed(dtype: DType, x: number): { readonly whole: string; readonly fraction: string } {
  const [whole, fraction] = shortest(dtype, x).toFixed(DIGITS).split('.');
  return { whole: Object.is(x, -0) ? '-0' : whole, fraction: fraction.replace(/0+$/, '') };
}

function exponential(dtype: DType, x: number): { readonly fraction: string } {
  const [mantissa] = shortest(dtype, x).toExponential().split('e');
  return { fraction: mantissa.split('.')[1] ?? '' };
}

/** Inner axes stand one under another, with as many empty lines between them as there are axes below. */
function joined(shown: Shown, format: Format, depth: number, indent: string): string {
  if (shown === null) return '...';
  if (typeof shown === 'number') return format(shown);
  if (depth > 0) {
    const parts = shown.map((part) => joined(part, format, depth - 1, `${indent} `));
    return `[${parts.join(`,${'\n'.repeat(depth)}${indent} `)}]`;
  }
  const lines = [''];
  for (const [i, part] of shown.entries()) {
    const text = `${joined(part, format, -1, '')}${i < shown.length - 1 ? ',' : ''}`;
    const line = lines[lines.length - 1];
    if (line !== '' && indent.length + line.length + text.length + 2 > LINE) lines.push(text);
    else lines[lines.length - 1] = line === '' ? text : `${line} ${text}`;
  }
  return `[${lines.join(`\n${indent} `)}]`;
}
