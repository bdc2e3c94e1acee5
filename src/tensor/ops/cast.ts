/** Another dtype; the gradient is dy cast back, where both are floats. */
import type { DType } from '../../kernels/index.ts';
import { DTypeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { isFloat } from '../shape.ts';

const DTYPES: readonly DType[] = ['float32', 'float64', 'int32', 'bool'];

export const cast: Op<{ readonly dtype: DType }> = {
  name: 'cast',
  inputs: ['x'],
  check([x], { dtype }) {
    if (DTYPES.includes(dtype)) return;
    throw new DTypeError({
      op: 'cast',
      argument: 'dtype',
      got: { x: typeOf(x) },
      rule: `${dtype} is none of ${DTYPES.join(', ')}`,
    });
  },
  forward: (k, [x], { dtype }) => ({ out: k.cast(x, dtype) }),
  backward: ({ k, inputs: [x], attrs: { dtype }, dy }) => [
    isFloat(dtype) && isFloat(x.buffer.dtype) ? () => k.cast(dy, x.buffer.dtype) : null,
  ],
};
