export { checkFinite } from './apply.ts';
export { getBackend, setBackend } from './context.ts';
export { DTypeError, ShapeError } from './errors.ts';
export { concat, scope, where } from './functions.ts';
export type { Nested } from './hostNumbers.ts';
export { insideModule } from './modulePath.ts';
export { Rng, type RngState } from './random.ts';
export { noGrad } from './tape.ts';
export { apply, Tensor, type TensorOptions } from './tensor.ts';
