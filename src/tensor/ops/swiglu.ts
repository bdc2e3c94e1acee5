/**
 * The gated activation of the language model, the experts and the adapter:  y = silu(gate) ⊙ up. Written out: `swiglu` in
 * composed.ts.
 *
 * Gradient, with s = sigmoid(gate): ∂gate = dy ⊙ up ⊙ s·(1 + gate·(1 − s)),  ∂up = dy ⊙ gate·s.
 * Step by step: docs/derivations/swiglu.md.
 */
import { ShapeError, typeOf } from '../errors.ts';
import { type Op, once } from '../op.ts';
import { requireDType, requireSameDType, sameShape } from '../shape.ts';

type NoAttrs = Record<never, never>;

export const swiglu: Op<NoAttrs> = {
  name: 'swiglu',
  inputs: ['gate', 'up'],
  check([gate, up]) {
    requireDType('swiglu', 'gate', gate);
    requireSameDType('swiglu', { gate, up });
    if (sameShape(gate.shape, up.shape)) return;
    throw new ShapeError({
      op: 'swiglu',
      argument: 'up',
      got: { gate: typeOf(gate), up: typeOf(up) },
      rule: 'shapes differ',
    });
  },
  forward: (k, [gate, up]) => ({ out: k.swiglu(gate, up) }),
  backward({ k, inputs: [gate, up], dy }) {
    const grads = once(() => k.swigluBackward(gate, up, dy));
    return [() => grads().dgate, () => grads().dup];
  },
};
