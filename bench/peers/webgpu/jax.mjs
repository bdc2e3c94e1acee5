/** jax-js on its webgpu device. */
import * as jax from '@jax-js/jax';
import { answersOf } from '../answers.ts';
import { jaxMakers } from '../makers/jax.mjs';

export async function open() {
  const devices = await jax.init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js has no WebGPU here');
  jax.defaultDevice('webgpu');
  return answersOf(jaxMakers(jax));
}
