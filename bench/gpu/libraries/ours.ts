/** This library on GPU.js in mode WebGPU. */
import { answersOf } from '../../peers/answers.ts';
import { onDevice, ourMakers } from '../../peers/makers/ours.ts';
import { useWebGpu } from '../backend.ts';
import type { Library } from '../library.ts';

export const open: Library['open'] = async () => {
  await useWebGpu();
  return answersOf(ourMakers(onDevice));
};
