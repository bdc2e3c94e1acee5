/**
 * Numbers as sums of float32 numbers. A kernel that moves, adds or multiplies makes no error on the parts where they are
 * chosen well, and what it makes of the parts adds up, in double precision, to what it makes of the numbers.
 */

/** Bits of a float32 number, and so the largest integer below which all are float32. */
const FLOAT_BITS = 24;

/** Up to three float32 arrays whose sum is `values` to the last bit: for kernels that only move numbers. */
export function floatParts(values: Float64Array): Float32Array[] {
  const parts: Float32Array[] = [];
  let rest = values;
  do {
    const part = new Float32Array(rest);
    parts.push(part);
    // An infinity has no rest.
    rest = rest.map((x, i) => (Number.isFinite(part[i]) ? x - part[i] : 0));
  } while (parts.length < 3 && rest.some((x) => x !== 0));
  return parts;
}

/**
 * Parts whose elements are whole multiples of unit·2^(−bits), unit·2^(−2·bits), …: at most 2^bits of them each.
 * @param units for each element a power of two that is at least its magnitude; 0 where the element does not count
 */
export function unitParts(
  values: Float64Array,
  units: Float64Array,
  bits: number,
  count: number,
): Float32Array[] {
  const parts = Array.from({ length: count }, () => new Float32Array(values.length));
  for (let i = 0; i < values.length; i++) {
    let unit = units[i];
    if (unit === 0) continue;
    let rest = values[i];
    for (const part of parts) {
      unit *= 2 ** -bits;
      part[i] = Math.round(rest / unit) * unit;
      rest -= part[i];
    }
  }
  return parts;
}

/** The smallest float32 with all its digits: what is below is nothing beside numbers that anybody looks at. */
const SMALLEST = 2 ** -126;

/** A power of two that is at least |x|, and at least the smallest that float32 holds well. */
export function powerAbove(x: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(SMALLEST, Math.abs(x))));
}

/** Bits a part may have so that sums of `terms` parts are exact: terms · 2^bits ≤ 2²⁴ units. */
export function bitsOfSums(terms: number): number {
  return FLOAT_BITS - Math.ceil(Math.log2(Math.max(1, terms)));
}

/** Bits each of two parts may have so that sums of `terms` products are exact: terms · 2^(2·bits) ≤ 2²⁴ units. */
export function bitsOfProducts(terms: number): number {
  return Math.floor(bitsOfSums(terms) / 2);
}
