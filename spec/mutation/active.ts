/**
 * Which mutant of a bundle is switched on. The mutated source asks `active === 17 ? mutated : original` at every place; 0 is
 * the source as it is. What runs while a module is loaded asks before anybody can switch, so the number may come from outside.
 */
declare global {
  var mutantAtStart: number | undefined;
}

export let active = globalThis.mutantAtStart ?? 0;

export function activate(id: number): void {
  active = id;
}
