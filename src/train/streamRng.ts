/** The one rule by which what is random in a run gets its generator. */
import { Rng } from '../tensor/index.ts';

/**
 * A generator of its own for place `index` of a named stream of a run: the numbers of a step, the order of an epoch. It
 * depends on these three alone, so a run can be taken up anywhere.
 *
 * Seed of the generator: 53 bits of a hash of "seed stream index" (two 32-bit multiply-xor hashes, finished as MurmurHash3).
 * @throws RangeError where seed or index is no safe integer
 */
export function streamRng(seed: number, stream: string, index: number): Rng {
  for (const [name, value] of Object.entries({ seed, index })) {
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`streamRng(${name}): needs a safe integer, got ${value}`);
    }
  }
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (const character of `${seed} ${stream} ${index}`) {
    const code = character.codePointAt(0) as number;
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = finished(high ^ (low >>> 13));
  low = finished(low ^ (high >>> 13));
  return new Rng((high & 0x1fffff) * 2 ** 32 + low);
}

/** Every bit of the result depends on every bit of `hash`. */
function finished(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}
