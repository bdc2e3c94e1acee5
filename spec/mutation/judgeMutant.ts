/** One mutant through its checks. */
import type { Checks } from './bundle.ts';

/** What is asked of a worker. */
export interface Question {
  /** Of a bundle. */
  readonly url: string;
  readonly id: number;
  /** The library is to be loaded anew with the mutant switched on. */
  readonly anew: boolean;
  readonly checks: readonly string[];
}

/** Which check caught it, and by what; null where none did. */
export type Caught = { readonly by: string; readonly message: string } | null;

/** Bundles may be loaded any number of times: each query is a module of its own to Node. */
let loads = 0;

export async function load(url: string, mutantAtStart = 0): Promise<Checks> {
  globalThis.mutantAtStart = mutantAtStart;
  try {
    return (await import(mutantAtStart === 0 ? url : `${url}?${loads++}`)) as Checks;
  } finally {
    globalThis.mutantAtStart = 0;
  }
}

/** @param before called before each check with its name */
export async function judgeMutant(
  { url, id, anew, checks }: Question,
  before: (check: string) => Promise<void> | void = () => {},
): Promise<Caught> {
  let library: Checks;
  try {
    library = await load(url, anew ? id : 0);
  } catch (error) {
    return { by: 'loading', message: (error as Error).message };
  }
  for (const name of checks) {
    await before(name);
    library.activate(id);
    try {
      await library.check(name);
    } catch (error) {
      return { by: name, message: String((error as Error)?.message ?? error) };
    } finally {
      library.activate(0);
    }
  }
  return null;
}
