/**
 * Elementwise functions of one tensor; the backend holds f and f′ side by side.
 *
 *   neg −x               exp eˣ                log ln x              sqrt √x
 *   sin, cos, tanh       erf 2/√π ∫₀ˣ e^(−t²)  abs |x| (f′(0) = 0)   relu max(x, 0) (f′(0) = 0)
 *   sigmoid 1/(1+e^(−x)) silu x·sigmoid(x)     gelu x·Φ(x) = x/2·(1 + erf(x/√2)), exact, not the tanh approximation
 */
import type { UnaryName } from '../../kernels/backend.ts';
import type { Op } from '../op.ts';
import { requireDType } from '../shape.ts';

type NoAttrs = Record<never, never>;

function unaryOp(
  name: UnaryName,
  range: readonly [number, number] = [-3, 3],
  extremes: readonly number[] = [],
): Op<NoAttrs> {
  return {
    name,
    inputs: ['x'],
    check([x]) {
      requireDType(name, 'x', x);
    },
    forward(k, [x]) {
      return { out: k.unary(name, x) };
    },
    backward({ k, inputs: [x], out, dy }) {
      return [() => k.unaryBackward(name, x, out, dy)];
    },
    samples: [
      { note: 'plain', inputs: [{ shape: [3, 5], range }], attrs: {} },
      { note: 'scalar', inputs: [{ shape: [], range }], attrs: {} },
      { note: 'zero size', inputs: [{ shape: [2, 0], range }], attrs: {} },
      { note: 'transposed', inputs: [{ shape: [4, 3], range, layout: 'transposed' }], attrs: {} },
      { note: 'strided', inputs: [{ shape: [7], range, layout: 'strided' }], attrs: {} },
      ...(extremes.length === 0
        ? []
        : [{ note: 'far values', inputs: [{ shape: [extremes.length], values: extremes }], attrs: {} }]),
    ],
    errors: [
      {
        note: 'integers',
        inputs: [{ shape: [2], dtype: 'int32' }],
        attrs: {},
        error: 'DTypeError',
        says: `${name}(x): x: needs float32 or float64: x is int32[2]`,
      },
    ],
  };
}

export const neg = unaryOp('neg');
export const exp = unaryOp('exp');
export const log = unaryOp('log', [0.3, 4]);
export const sqrt = unaryOp('sqrt', [0.3, 4]);
export const abs = unaryOp('abs', [0.1, 3]);
export const sin = unaryOp('sin', [-3, 3], [-100, 50]);
export const cos = unaryOp('cos', [-3, 3], [-100, 50]);
export const tanh = unaryOp('tanh', [-3, 3], [-40, 40]);
export const erf = unaryOp('erf', [-3, 3], [-8, 8]);
export const sigmoid = unaryOp('sigmoid', [-3, 3], [-90, 90]);
export const relu = unaryOp('relu', [0.1, 3], [-5, 5]);
export const silu = unaryOp('silu', [-3, 3], [-90, 90]);
export const gelu = unaryOp('gelu', [-3, 3], [-12, 12]);
