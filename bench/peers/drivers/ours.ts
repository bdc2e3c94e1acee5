/** This library on the wasm backend: `ours.mjs THREADS`. (Node only) */
import { getBackend, setBackend } from '../../../src/index.ts';
import { wasmBackend } from '../../contestants.ts';
import { answersOf } from '../answers.ts';
import { atOnce, ourMakers } from '../makers/ours.ts';
import { serve } from '../serve.ts';

await setBackend(await wasmBackend(Number(process.argv[2]), false));
process.stdout.write(`${getBackend().describe()}\n`);

await serve(answersOf(ourMakers(atOnce)));
