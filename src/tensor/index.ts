export { checkFinite } from './apply.ts';
export { getBackend, setBackend } from './context.ts';
export { DTypeError, ShapeError } from './errors.ts';
export { insideModule } from './modulePath.ts';
export { Rng, type RngState } from './random.ts';
export { noGrad } from './tape.ts';
export { apply, concat, type Nested, scope, Tensor, type TensorOptions, where } from './tensor.ts';
