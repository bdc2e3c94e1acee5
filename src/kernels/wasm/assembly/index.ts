/**
 * Everything the module exports, compiled without a runtime: memory comes from outside. build.mjs writes for TypeScript what
 * the functions take and what the numbers are; functions that return nothing are the kernels.
 */
export { attention, attentionBackward, attentionBackwardShare, attentionShare } from './attention';
export { Binary, Cast, Compare, Unary } from './codes';
export { cast, compare, where } from './compare';
export { adamw, binary, swiglu, swigluBackward, unary, unaryBackward } from './elementwise';
export { gemm, gemmShallow, MC, NC, WORK_BYTES } from './gemm';
export { gemvColumns, gemvRows, MOST_GEMV_COLUMNS, MOST_GEMV_ROWS } from './gemv';
export { argmaxRows, maxColumns, maxRows } from './maximum';
export { copy, gatherRows, rotary, scatterAddRows } from './move';
export { layerNorm, NORM_ROW_RUN, normBackward, normBackwardShare, rmsNorm } from './norm';
export { LANES } from './panels';
export { addPartials, STRETCH, sumColumns, sumRows, sumStretches } from './reduce';
export { crossEntropy, crossEntropyBackward, softmax, softmaxBackward } from './softmax';
export { enter, STATIC_END } from './thread';
