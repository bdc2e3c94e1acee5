/**
 * Specs compute on the specification where they do not say otherwise; users get the fastest backend. Spec files share a process:
 * each gets a cpu of its own, on which nothing of another file waits for the garbage collector.
 */
import { createCpuBackend } from '../src/kernels/cpu/index.ts';
import { setBackend } from '../src/tensor/index.ts';

await setBackend(createCpuBackend());
