/** Rules about shapes that ops share. Every refusal is a ShapeError or DTypeError. */
import type { DType, View } from '../kernels/index.ts';
import { DTypeError, ShapeError, type TensorType, typeOf } from './errors.ts';

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}

/** NumPy's rule: align at the right; sizes are equal or one of them is 1. Null where they do not fit. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return null;
    out[rank - i] = m === 1 ? n : m;
  }
  return out;
}

/** The shape two arguments broadcast to. @throws ShapeError naming the first axis from the right that differs. */
export function broadcastOrThrow(
  op: string,
  a: View,
  b: View,
  names: readonly [string, string] = ['a', 'b'],
): number[] {
  const shape = broadcastShapes(a.shape, b.shape);
  if (shape !== null) return shape;
  let axis = -1;
  while (
    (a.shape.at(axis) ?? 1) === (b.shape.at(axis) ?? 1) ||
    a.shape.at(axis) === 1 ||
    b.shape.at(axis) === 1
  )
    axis--;
  throw new ShapeError({
    op,
    argument: names[1],
    got: { [names[0]]: typeOf(a), [names[1]]: typeOf(b) },
    axis,
    rule: 'shapes do not broadcast',
    hint: 'aligned at the right, sizes must be equal or 1.',
  });
}

/** An axis counted from the front. @throws ShapeError where it is not an axis of x. */
export function normalizeAxis(op: string, x: TensorType, axis: number, argument = 'axis'): number {
  const rank = x.shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError({
      op,
      argument,
      got: { x },
      rule: `axis ${axis} is not one of the ${rank} axes`,
      hint: `use ${-rank}…${rank - 1}.`,
    });
  }
  return axis < 0 ? axis + rank : axis;
}

/** @throws DTypeError where the named tensors do not all have one dtype. */
export function requireSameDType(op: string, got: Readonly<Record<string, View>>): void {
  let first: DType | undefined;
  for (const argument in got) {
    const { dtype } = got[argument].buffer;
    first ??= dtype;
    if (dtype === first) continue;
    throw new DTypeError({
      op,
      argument,
      got: Object.fromEntries(Object.entries(got).map(([name, view]) => [name, typeOf(view)])),
      rule: `dtypes differ (${argument} is not ${first})`,
      hint: `nothing is converted silently; cast with .to('${first}').`,
    });
  }
}

const FLOATS: readonly DType[] = ['float32', 'float64'];

export function isFloat(dtype: DType): boolean {
  return FLOATS.includes(dtype);
}

/** @throws DTypeError where x is not of one of the dtypes. */
export function requireDType(op: string, argument: string, x: View, dtypes: readonly DType[] = FLOATS): void {
  if (dtypes.includes(x.buffer.dtype)) return;
  throw new DTypeError({
    op,
    argument,
    got: { [argument]: typeOf(x) },
    rule: `needs ${dtypes.join(' or ')}`,
    hint: `cast with .to('${dtypes[0]}').`,
  });
}

/** @throws ShapeError where x does not have exactly `shape` (a number is a size, a string a free axis with a name). */
export function requireShape(
  op: string,
  argument: string,
  x: View,
  shape: readonly (number | string)[],
): void {
  const fits =
    x.shape.length === shape.length && shape.every((n, a) => typeof n === 'string' || n === x.shape[a]);
  if (fits) return;
  throw new ShapeError({
    op,
    argument,
    got: { [argument]: typeOf(x) },
    rule: `needs shape [${shape.join(',')}]`,
  });
}
