/**
 * Specs compute on the specification where they do not say otherwise; users get the fastest backend. Spec files share a process:
 * what the one before left to the garbage collector goes now, not while this one counts buffers.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setBackend } from '../src/tensor/index.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

await setBackend('cpu');
collect();
await new Promise((turn) => setTimeout(turn, 0));
