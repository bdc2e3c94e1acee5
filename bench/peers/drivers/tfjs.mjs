/** TensorFlow.js on the processor: `tfjs.mjs THREADS wasm|cpu`. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { answersOf } from '../answers.ts';
import { tfjsMakers } from '../makers/tfjs.mjs';
import { serve } from '../serve.ts';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const backend = process.argv[3];
if (backend === 'wasm') {
  const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
  const home = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  setWasmPaths(join(home, 'dist', '/'));
}
await tf.setBackend(backend);
await tf.ready();
tf.enableProdMode();

await serve(answersOf(tfjsMakers(tf)));
