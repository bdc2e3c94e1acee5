/** Demands on numbers that throw an Error of their own, so that they also serve outside of a test runner. */

export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** @param allowed largest absolute difference */
export function demandClose(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  allowed: number,
  what: string,
): void {
  demand(got.length === wanted.length, `${what}: ${got.length} numbers, expected ${wanted.length}`);
  for (let i = 0; i < wanted.length; i++) {
    // Written so that a NaN fails.
    if (!(Math.abs(got[i] - wanted[i]) <= allowed))
      throw new Error(`${what}, element ${i}: ${got[i]}, expected ${wanted[i]} ± ${allowed}`);
  }
}

/** The same numbers bit for bit; +0 is not −0. */
export function demandSame(got: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  demand(got.length === wanted.length, `${what}: ${got.length} numbers, expected ${wanted.length}`);
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(got[i], wanted[i]))
      throw new Error(`${what}, element ${i}: ${got[i]}, expected exactly ${wanted[i]}`);
  }
}
