/**
 * The primitives with their samples and error cases: what verification runs. Apart from index.ts, so that who computes loads
 * none of it.
 */

export * as functions from './functions/index.ts';
export { inputName, type Op } from './op.ts';
export { casesByOp } from './ops/cases.ts';
export { type OpName, ops } from './ops/index.ts';
export type { ErrorCase, Sample, SampleInput, Some } from './sample.ts';
