/** jax-js on WebGPU in Node. */
import { prepareNode } from '../drivers/jaxNode.mjs';

export async function open() {
  prepareNode(1);
  navigator.userAgent ??= 'Node'; // which it asks for a browser's name
  const jax = await import('./jax.mjs');
  return jax.open();
}
