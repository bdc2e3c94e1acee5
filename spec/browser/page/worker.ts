/** Runs one spec in a Web Worker: its id comes in, its result goes out. */
import { resultOf } from './spec.ts';
import { specById } from './specs.ts';

addEventListener('message', async ({ data }: MessageEvent<string>) => {
  postMessage(await resultOf(specById(data)));
});
