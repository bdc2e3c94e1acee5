/** Losses. */
import { ShapeError } from '../tensor/errors.ts';
import { apply, Tensor } from '../tensor/tensor.ts';

/** Labels with this value take no part in the loss (PyTorch's default). */
export const IGNORE_INDEX = -100;

/**
 * Mean cross entropy of logits [N, V] over the labels that are not `ignoreIndex`. NaN when all are ignored, as in
 * PyTorch.
 * @throws ShapeError for a label outside of 0…V − 1 or a wrong number of labels
 */
export function crossEntropy(logits: Tensor, labels: readonly number[], ignoreIndex = IGNORE_INDEX): Tensor {
  const V = logits.shape[logits.rank - 1];
  const bad = labels.findIndex(
    (label) => label !== ignoreIndex && !(Number.isInteger(label) && label >= 0 && label < V),
  );
  if (bad >= 0) {
    throw new ShapeError({
      op: 'crossEntropy',
      argument: 'labels',
      got: { logits },
      rule: `label ${labels[bad]} at ${bad} is neither one of the ${V} classes nor ${ignoreIndex}`,
    });
  }
  const targets = Tensor.fromArray(labels, [labels.length], { dtype: 'int32' });
  const counted = labels.reduce((n, label) => n + (label === ignoreIndex ? 0 : 1), 0);
  return apply('crossEntropy', [logits, targets], { ignoreIndex }).sum().div(counted);
}
