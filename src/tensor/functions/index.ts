/** Functions of several tensors, or composed from the methods of one. */
export { where } from './choosing.ts';
export { concat } from './joining.ts';
