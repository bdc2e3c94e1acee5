/** A strided part of a buffer, for kernels that find positions by dividing. */

/** A part of a buffer as digits of a position in it, from the lowest place up. */
export interface Digits {
  /** How many positions a digit counts before the next one moves; the last digit has no end. */
  readonly radixes: readonly number[];
  /** A digit belongs to the part where it is i·every with an integer i < size; the last one's `every` is 1, left out. */
  readonly every: readonly number[];
  readonly sizes: readonly number[];
  /** What a step of i is in the other operand. */
  readonly steps: readonly number[];
}

/**
 * The elements of a strided view as digits of (position − offset). The greatest stride is a place value, and so is of each
 * smaller one the part that divides the place above. Every view that slicing and permuting a dense array makes has such
 * digits. `steps` are the strides of the other operand.
 * @throws Error where elements lie on one another
 */
export function digitsOf(
  shape: readonly number[],
  strides: readonly number[],
  steps: readonly number[],
): Digits {
  const order = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  order.sort((a, b) => strides[b] - strides[a]);
  const digits = {
    radixes: [] as number[],
    every: [] as number[],
    sizes: [] as number[],
    steps: [] as number[],
  };
  let above = 0;
  const add = (stride: number, size: number, step: number): void => {
    const place = above === 0 ? stride : greatestDivisor(stride, above);
    const every = stride / place;
    if (above !== 0) digits.radixes.unshift(above / place);
    if (place <= 0 || (above !== 0 && every * (size - 1) >= above / place))
      throw new Error(
        `gpujs: assign: elements of the destination, [${shape}] with strides [${strides}], lie on one another`,
      );
    if (above !== 0) digits.every.unshift(every);
    digits.sizes.unshift(size);
    digits.steps.unshift(step);
    above = place;
  };
  for (const axis of order) add(strides[axis], shape[axis], steps[axis]);
  // Between two elements of the part lie others: the lowest digit must be 0. A single element has no digit above it.
  if (above !== 1) add(1, 1, 0);
  return digits;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
