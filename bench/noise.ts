/**
 * Numbers that every program of a comparison makes alike, in any language, without a file to share: number i of stream s
 * is the finaliser of MurmurHash3 (public domain) of the 32 bits i + s·0x9E3779B9, taken to ±scale.
 */

function mixed(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Uniform in ±scale. */
export function noiseValues(length: number, stream = 0, scale = 1): Float32Array {
  const values = new Float32Array(length);
  const start = Math.imul(stream, 0x9e3779b9);
  for (let i = 0; i < length; i++) values[i] = scale * (mixed((i + start) | 0) / 2 ** 31 - 1);
  return values;
}

/** The scale of weights that keep the size of what goes through: variance 1/fanIn. */
export const weightScale = (fanIn: number): number => Math.sqrt(3 / fanIn);

/** Places of an output that are compared between programs: 16 of them, evenly spread. */
export function probes(length: number): number[] {
  return Array.from({ length: 16 }, (_, j) => Math.floor(((j + 0.5) * length) / 16));
}
