/** Functions of several tensors, or composed from the methods of one. */
export { where } from './choosing.ts';
export { type DropoutOptions, dropout } from './dropout.ts';
export { einsum } from './einsum.ts';
export { oneHot, type TopkOptions, takeAlongAxis, topk } from './indexing.ts';
export { concat, stack } from './joining.ts';
export { logicalAnd, logicalNot, logicalOr } from './logic.ts';
export { cumsum } from './scan.ts';
export { tril, triu } from './triangles.ts';
