/** What is bundled for each library, and for the verification. */

/** Names of the bundles: library-NAME.mjs. */
export type LibraryName = 'ours' | 'verify' | 'tfjs' | 'jax';

export interface Library {
  /** Starts the library on `navigator.gpu`. @returns what answers requests */
  open(): Promise<(request: never) => Promise<object>>;
}
