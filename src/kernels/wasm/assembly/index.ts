/** Everything the module exports. Compiled by build.mjs, without a runtime: memory comes from outside. */
export { attention, attentionBackward, attentionBackwardShare, attentionShare } from './attention';
export { cast, compare, where } from './compare';
export { adamw, binary, swiglu, swigluBackward, unary, unaryBackward } from './elementwise';
export { gemm, gemmShallow } from './gemm';
export { gemvColumns, gemvRows } from './gemv';
export { argmaxRows, maxColumns, maxRows } from './maximum';
export { copy, gatherRows, rotary, scatterAddRows } from './move';
export { layerNorm, normBackward, rmsNorm } from './norm';
export { addPartials, sumColumns, sumRows, sumStretches } from './reduce';
export { crossEntropy, crossEntropyBackward, softmax, softmaxBackward } from './softmax';
export { enter, STATIC_END, WORK_BYTES } from './thread';
