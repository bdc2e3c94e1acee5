/**
 * Walking strided arrays. All kernels have one shape: an outer walk over positions, written here once, and an inner loop
 * over a line of numbers, written in the kernel as `data[at + j * stride]`.
 */
import { mergeAxes } from '../views.ts';
import { type Strided, strided } from './host.ts';

/**
 * Calls `visit` for each position of `shape` in row-major order, with the offset of that position in every operand and
 * the number of the position. The operands' leading axes are those of `shape`; axes behind them are left to `visit`.
 * `at` is one array, changed between calls.
 */
export function forEachPosition(
  shape: readonly number[],
  operands: readonly Strided[],
  visit: (at: readonly number[], position: number) => void,
): void {
  if (shape.includes(0)) return;
  const at = operands.map((x) => x.offset);
  const index = shape.map(() => 0);
  for (let position = 0; ; position++) {
    visit(at, position);
    let axis = shape.length - 1;
    for (; axis >= 0; axis--) {
      // Like an odometer: step this axis; where it is through, wind it back and step the axis before it.
      const windBack = ++index[axis] === shape[axis];
      const steps = windBack ? 1 - shape[axis] : 1;
      for (let k = 0; k < operands.length; k++) at[k] += steps * operands[k].stride[axis];
      if (!windBack) break;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** `forEachPosition` over all axes but the last of the first operand: once per row. */
export function forEachRow(
  operands: readonly Strided[],
  visit: (at: readonly number[], row: number) => void,
): void {
  forEachPosition(operands[0].shape.slice(0, -1), operands, visit);
}

/** The lines of an elementwise kernel: `visit` gets the number of elements, and offset and stride of each operand. */
export function forEachLine(
  operands: readonly Strided[],
  visit: (n: number, at: readonly number[], stride: readonly number[]) => void,
): void {
  // Dense operands become a single line: one flat loop runs over them.
  const { shape, strides } = mergeAxes(
    operands[0].shape,
    operands.map((x) => x.stride),
    1,
  );
  const merged = operands.map((x, k) => strided(x.data, shape, strides[k], x.offset));
  const last = shape.length - 1;
  const stride = strides.map((steps) => steps[last]);
  forEachRow(merged, (at) => visit(shape[last], at, stride));
}

/** Copies the elements of `src` to `dst`, of one shape; numbers convert as typed arrays do. */
export function copyElements(dst: Strided, src: Strided): void {
  const to = dst.data;
  const from = src.data;
  forEachLine([dst, src], (n, [d, s], [dStep, sStep]) => {
    if (dStep === 1 && sStep === 1) to.set(from.subarray(s, s + n), d);
    else for (let j = 0; j < n; j++) to[d + j * dStep] = from[s + j * sStep];
  });
}
