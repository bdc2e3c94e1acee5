/** TensorFlow.js on WebGPU, which is registered where `navigator.gpu` is there when the module is loaded. */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { answersOf } from '../answers.ts';
import { tfjsMakers } from '../makers/tfjs.mjs';

export async function open() {
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs has no WebGPU here');
  await tf.ready();
  tf.enableProdMode();
  return answersOf(tfjsMakers(tf));
}
