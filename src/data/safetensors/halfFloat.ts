/**
 * The two 16-bit floats of weight files, as bit patterns in a Uint16Array.
 *
 *            sign  exponent  mantissa
 *   float32    1      8         23
 *   bf16       1      8          7     the upper half of a float32
 *   f16        1      5         10     IEEE 754 binary16
 *
 * Widening is exact. Rounding is to nearest, ties to even, as PyTorch's `.to(torch.bfloat16)` and `.half()`. A NaN
 * stays a NaN and keeps the payload bits that fit, so widening and rounding again gives every 16-bit pattern back.
 * All work is done on bit patterns: a NaN's payload need not survive a trip through a JavaScript number.
 */

const INFINITY_BITS = 0x7f800000;

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** bf16 → float32. */
export function widenBf16(half: Uint16Array): Float32Array {
  const wide = new Float32Array(half.length);
  const bits = bitsOf(wide);
  for (let i = 0; i < half.length; i++) bits[i] = half[i] << 16;
  return wide;
}

/** float32 → bf16; what is beyond the greatest bf16 becomes an infinity. */
export function roundToBf16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const half = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    if ((b & 0x7fffffff) > INFINITY_BITS) {
      const upper = b >>> 16;
      half[i] = upper & 0x7f ? upper : upper | 0x40; // a payload only in the lower bits would turn into an infinity
    } else {
      // Adding just under half a unit, or half of one where the kept part is odd, carries into it when it must go up.
      half[i] = (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
    }
  }
  return half;
}

let f16Table: Uint32Array | undefined;

/** float32 bit pattern of every f16 bit pattern: 256 KiB, made at the first use. */
function widenedF16(): Uint32Array {
  if (f16Table) return f16Table;
  const table = new Uint32Array(0x10000);
  for (let h = 0; h < 0x10000; h++) {
    const sign = (h & 0x8000) << 16;
    const exponent = (h >>> 10) & 0x1f;
    const mantissa = h & 0x3ff;
    if (exponent === 0x1f) {
      table[h] = sign | INFINITY_BITS | (mantissa << 13);
    } else if (exponent !== 0) {
      table[h] = sign | ((exponent - 15 + 127) << 23) | (mantissa << 13);
    } else if (mantissa !== 0) {
      // Subnormal, mantissa · 2⁻²⁴: shift the leading one up to bit 10, where a float32 leaves it out.
      const shift = Math.clz32(mantissa) - 21;
      table[h] = sign | ((1 - 15 + 127 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
    } else {
      table[h] = sign;
    }
  }
  f16Table = table;
  return table;
}

/** f16 → float32. */
export function widenF16(half: Uint16Array): Float32Array {
  const table = widenedF16();
  const wide = new Float32Array(half.length);
  const bits = bitsOf(wide);
  for (let i = 0; i < half.length; i++) bits[i] = table[half[i]];
  return wide;
}

function f16BitsOf(b: number): number {
  const sign = (b >>> 16) & 0x8000;
  const magnitude = b & 0x7fffffff;
  if (magnitude > INFINITY_BITS) return sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520, halfway between 65504 and 2¹⁶
  if (magnitude >= 0x38800000) {
    // Normal from 2⁻¹⁴: move the exponent bias from 127 to 15, then round 13 bits away as in roundToBf16.
    const rebased = magnitude - ((127 - 15) << 23);
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // up to 2⁻²⁵, half of the least subnormal
  // The value is m · 2^(e − 150) and the unit of a subnormal 2⁻²⁴: drop 126 − e bits of m.
  const drop = 126 - (magnitude >>> 23);
  const m = (magnitude & 0x7fffff) | 0x800000;
  const kept = m >>> drop;
  const rest = m & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
}

/** float32 → f16; what is 65520 or greater becomes an infinity. */
export function roundToF16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const half = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) half[i] = f16BitsOf(bits[i]);
  return half;
}
