/** jax-js on its wasm device: `jax.mjs THREADS`. */
import { answersOf } from '../answers.ts';
import { jaxMakers } from '../makers/jax.mjs';
import { serve } from '../serve.ts';
import { prepareNode } from './jaxNode.mjs';

prepareNode(Number(process.argv[2]));
const jax = await import('@jax-js/jax');
await jax.init('wasm');
jax.defaultDevice('wasm');

await serve(answersOf(jaxMakers(jax)));
