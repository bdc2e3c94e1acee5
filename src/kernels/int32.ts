/** Which numbers an int32 holds. */

/**
 * Fractions are cut off, as PyTorch and NumPy do.
 * @throws RangeError for NaN and what is beyond the range, which would wrap around silently
 */
export function requireInt32(op: string, index: number, value: number): void {
  if (value > -(2 ** 31) - 1 && value < 2 ** 31) return;
  throw new RangeError(
    `${op}: element ${index} is ${value}, which no int32 holds: expected −2147483648…2147483647`,
  );
}
