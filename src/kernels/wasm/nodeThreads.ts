/** Node's threads, in Node. Its own file, so that the public types need none of Node's. */

/** The module of that name, in Node. */
export function nodeThreads() {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined;
  return process.getBuiltinModule('node:worker_threads');
}
