/**
 * Elementwise functions of one tensor; the backend holds f and f′ side by side. Written out: `sigmoid`, `silu` and `gelu` in
 * composed.ts.
 *
 *   neg −x               exp eˣ                log ln x              sqrt √x
 *   sin, cos, tanh       erf 2/√π ∫₀ˣ e^(−t²)  abs |x| (f′(0) = 0)   relu max(x, 0) (f′(0) = 0)
 *   sigmoid 1/(1+e^(−x)) silu x·sigmoid(x)     gelu x·Φ(x) = x/2·(1 + erf(x/√2)), exact, not the tanh approximation
 */
import type { UnaryName } from '../../kernels/index.ts';
import type { Op } from '../op.ts';
import { requireDType } from '../shape.ts';

function unaryOp(name: UnaryName): Op<Record<never, never>> {
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
  };
}

export const neg = unaryOp('neg');
export const exp = unaryOp('exp');
export const log = unaryOp('log');
export const sqrt = unaryOp('sqrt');
export const abs = unaryOp('abs');
export const sin = unaryOp('sin');
export const cos = unaryOp('cos');
export const tanh = unaryOp('tanh');
export const erf = unaryOp('erf');
export const sigmoid = unaryOp('sigmoid');
export const relu = unaryOp('relu');
export const silu = unaryOp('silu');
export const gelu = unaryOp('gelu');
