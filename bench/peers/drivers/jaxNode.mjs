/** What jax-js looks for and Node 20 lacks: threads as browsers have them, `map` of iterators, relaxed SIMD. */
import { resolveObjectURL } from 'node:buffer';
import { setFlagsFromString } from 'node:v8';
import { Worker as Thread } from 'node:worker_threads';

/** Browsers' Worker on a Node thread, as far as a module made from a Blob needs it. */
class BlobWorker {
  #thread;
  onmessage = null;
  onerror = null;

  constructor(url) {
    const prelude = `
      const { parentPort } = require('node:worker_threads');
      globalThis.self = globalThis;
      globalThis.postMessage = (message) => parentPort.postMessage(message);
      parentPort.on('message', (data) => self.onmessage({ data }));
    `;
    this.#thread = resolveObjectURL(url)
      .text()
      .then((source) => {
        const thread = new Thread(prelude + source, { eval: true });
        thread.on('message', (data) => this.onmessage?.({ data }));
        thread.on('error', (error) => this.onerror?.(error));
        return thread;
      });
  }

  postMessage(message) {
    this.#thread.then((thread) => thread.postMessage(message));
  }
}

/** Before jax-js is imported. One thread is what it has without a Worker. */
export function prepareNode(threads) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  iterators.map ??= function* map(f) {
    for (const item of this) yield f(item);
  };
  iterators.filter ??= function* filter(f) {
    for (const item of this) if (f(item)) yield item;
  };
  if (threads === 1) return;
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: threads } });
  globalThis.Worker = BlobWorker;
}
