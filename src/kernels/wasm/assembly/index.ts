/** Everything the module exports. Compiled by build.mjs, without a runtime: memory comes from outside. */
export { attention, attentionBackward, attentionBackwardShare, attentionShare } from './attention';
export { adamw, binary, swiglu, swigluBackward, unary, unaryBackward, where } from './elementwise';
export { gemm, gemmShallow } from './gemm';
export { gemvColumns, gemvRows } from './gemv';
export { copy, gatherRows, rotary, scatterAddRows } from './move';
export { layerNorm, normBackward, rmsNorm } from './norm';
export { sumColumns, sumRows } from './reduce';
export { crossEntropy, crossEntropyBackward, softmax, softmaxBackward } from './softmax';
export { enter, WORK_BYTES } from './thread';
