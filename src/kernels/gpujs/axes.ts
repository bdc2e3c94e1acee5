/** Axes of strided views, for kernels that find positions by dividing. */

export interface Axes {
  readonly shape: number[];
  /** One list per operand. */
  readonly strides: number[][];
}

/** The same positions in the same order with as few axes as the operands allow; axes of size 1 go. */
export function mergeAxes(shape: readonly number[], operands: readonly (readonly number[])[]): Axes {
  const merged: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === 1) continue;
    const last = merged.length - 1;
    const joins = last >= 0 && operands.every((steps, k) => strides[k][last] === size * steps[axis]);
    if (joins) merged[last] *= size;
    else merged.push(size);
    for (let k = 0; k < operands.length; k++) {
      if (joins) strides[k][last] = operands[k][axis];
      else strides[k].push(operands[k][axis]);
    }
  }
  return { shape: merged, strides };
}

/** A part of a buffer as digits of a position in it, from the smallest stride up. */
export interface Digits {
  /** How many positions a digit counts before the next one moves; the last digit has no end. */
  readonly radixes: number[];
  /** Digits below these belong to the part. */
  readonly sizes: number[];
  /** What a step of the digit is in the other operand. */
  readonly steps: number[];
}

/**
 * The elements of a strided view as digits of (position − offset): its strides, sorted, are the place values. `steps` are
 * the strides of the other operand. Every view that slicing and permuting a dense array makes has such digits.
 * @throws Error where the strides do not divide one another, or elements lie on one another
 */
export function digitsOf(
  shape: readonly number[],
  strides: readonly number[],
  steps: readonly number[],
): Digits {
  const order = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  order.sort((a, b) => strides[a] - strides[b]);
  const values = order.map((axis) => strides[axis]);
  const digits: Digits = {
    radixes: [],
    sizes: order.map((axis) => shape[axis]),
    steps: order.map((axis) => steps[axis]),
  };
  if (values.length === 0 || values[0] > 1) {
    // Between two elements of the part lie others: a digit of its own that must be 0.
    values.unshift(1);
    digits.sizes.unshift(1);
    digits.steps.unshift(0);
  }
  for (let d = 0; d + 1 < values.length; d++) digits.radixes.push(values[d + 1] / values[d]);
  const fits = digits.radixes.every((radix, d) => Number.isInteger(radix) && radix >= digits.sizes[d]);
  if (fits) return digits;
  throw new Error(
    `gpujs: assign: the destination [${shape}] with strides [${strides}] is no slice of a dense array`,
  );
}
