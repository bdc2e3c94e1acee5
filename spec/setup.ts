/** Specs compute on the specification where they do not say otherwise; users get the fastest backend. */
import { setBackend } from '../src/tensor/index.ts';

await setBackend('cpu');
