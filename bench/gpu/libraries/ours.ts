/** This library on GPU.js in mode WebGPU. */
import { setBackend } from '../../../src/index.ts';
import { createGpuJsBackend } from '../../../src/kernels/gpujs/gpuJsBackend.ts';
import { answersOf } from '../../peers/answers.ts';
import { onDevice, ourMakers } from '../../peers/makers/ours.ts';
import type { Library } from '../library.ts';

export const open: Library['open'] = async () => {
  await setBackend(await createGpuJsBackend({ mode: 'webgpu' }));
  return answersOf(ourMakers(onDevice));
};
