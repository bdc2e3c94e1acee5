/**
 * Rotary embedding in the half-split layout of LLaMA and NeoX. Written out: `rotary` in composed.ts. Column j turns with
 * column j + K/2,
 *
 *   half-split   x = [x₀ … x_{K/2−1} | x_{K/2} … x_{K−1}]    pairs (j, j + K/2)   ← this one
 *   interleaved  x = [x₀ x₁ x₂ x₃ …]                          pairs (2j, 2j + 1)   GPT-J, the RoFormer paper
 *
 *   y₀ = x₀ cos θ − x₁ sin θ,   y₁ = x₀ sin θ + x₁ cos θ,   θ = position · frequency_j
 *
 * A rotation's transpose is its inverse, so the gradient is dy turned back: sin → −sin.
 * Step by step: docs/derivations/rotary.md.
 */
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { requireDType, requireSameDType, requireShape } from '../shape.ts';

type NoAttrs = Record<never, never>;

export const rotary: Op<NoAttrs> = {
  name: 'rotary',
  inputs: ['x', 'cos', 'sin'],
  check([x, cos, sin]) {
    requireDType('rotary', 'x', x);
    requireSameDType('rotary', { x, cos, sin });
    requireShape('rotary', 'x', x, ['B', 'H', 'T', 'K']);
    if (x.shape[3] % 2 !== 0) {
      throw new ShapeError({
        op: 'rotary',
        argument: 'x',
        axis: 3,
        got: { x: typeOf(x) },
        rule: 'needs an even head width',
      });
    }
    const half = [x.shape[0], x.shape[2], x.shape[3] / 2];
    requireShape('rotary', 'cos', cos, half);
    requireShape('rotary', 'sin', sin, half);
  },
  forward: (k, [x, cos, sin]) => ({ out: k.rotary(x, cos, sin, false) }),
  backward: ({ k, inputs: [, cos, sin], dy }) => [() => k.rotary(dy, cos, sin, true), null, null],
};
