import type { Packed } from './pack.mjs';

/** @throws Error with all that is wrong with the package */
export function check(packed: Packed): void;
