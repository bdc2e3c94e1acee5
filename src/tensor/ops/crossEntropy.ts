/**
 * Cross entropy of each row of logits against a target class. Written out: `crossEntropy` in composed.ts.
 *
 *   loss_r = ln Σ_v e^(x_rv) − x_r,target,   0 where target = ignoreIndex
 *
 * Gradient: ∂ ln Σ e^x / ∂x_v = softmax(x)_v, so ∂x_rv = dloss_r · (softmax(x_r)_v − [v = target_r]).
 * Step by step: docs/derivations/crossEntropy.md.
 */
import { ShapeError, typeOf } from '../errors.ts';
import type { Op } from '../op.ts';
import { requireDType, requireShape } from '../shape.ts';

export const crossEntropy: Op<{ readonly ignoreIndex: number }> = {
  name: 'crossEntropy',
  inputs: ['logits', 'targets'],
  check([logits, targets]) {
    requireDType('crossEntropy', 'logits', logits);
    requireDType('crossEntropy', 'targets', targets, ['int32']);
    requireShape('crossEntropy', 'logits', logits, ['R', 'V']);
    if (targets.shape.length === 1 && targets.shape[0] === logits.shape[0]) return;
    throw new ShapeError({
      op: 'crossEntropy',
      argument: 'targets',
      got: { logits: typeOf(logits), targets: typeOf(targets) },
      rule: `needs one target for each of the ${logits.shape[0]} rows`,
    });
  },
  forward(k, [logits, targets], { ignoreIndex }) {
    const { loss, logSumExp } = k.crossEntropy(logits, targets, ignoreIndex);
    return { out: loss, saved: [logSumExp] };
  },
  backward: ({ k, inputs: [logits, targets], attrs, saved: [logSumExp], dy }) => [
    () => k.crossEntropyBackward(logits, targets, attrs.ignoreIndex, logSumExp, dy),
    null,
  ],
};
