/** A library on Node's WebGPU: `driver.mjs NAME`; library-NAME.mjs lies beside it. (Node only) */
import { exposeWebGpu } from '../../src/kernels/gpujs/dawn.ts';
import { serve } from '../peers/serve.ts';
import type { Library } from './library.ts';

await exposeWebGpu();
const { open } = (await import(`./library-${process.argv[2]}.mjs`)) as Library;
await serve(await open());
