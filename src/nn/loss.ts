/** Losses. */
import { apply, oneHot, requireSameDType, requireShape, ShapeError, Tensor, where } from '../tensor/index.ts';

/** Labels with this value take no part in the loss (PyTorch's default). */
export const IGNORE_INDEX = -100;

export interface CrossEntropyOptions {
  /** What a label of each class counts, [V]. Default 1. */
  readonly weight?: Tensor;
  /** ε: so much of a label's 1 is spread evenly over all V classes. Default 0. */
  readonly labelSmoothing?: number;
  /** One loss, the mean (by weight) or the sum over the labels that count, or one for each row. Default 'mean'. */
  readonly reduction?: 'mean' | 'sum' | 'none';
  /** Default −100. */
  readonly ignoreIndex?: number;
}

/**
 * Cross entropy of logits [N, V] with labels, as torch.nn.functional.cross_entropy: with p = softmax(logits),
 *
 *   loss_n = −(1 − ε)·w_label ln p_n,label − ε/V Σ_v w_v ln p_nv,   0 where the label is `ignoreIndex`
 *
 * and the mean is Σ loss / Σ w_label, over labels that count: NaN when all are ignored.
 * @throws ShapeError for a label outside of 0…V − 1, or a wrong number of labels or weights; RangeError where ε is not in 0…1
 */
export function crossEntropy(
  logits: Tensor,
  labels: readonly number[],
  options: CrossEntropyOptions = {},
): Tensor {
  const { weight, labelSmoothing = 0, reduction = 'mean', ignoreIndex = IGNORE_INDEX } = options;
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
  requireShape('crossEntropy', 'logits', logits.view, ['R', 'V']);
  if (labels.length !== logits.shape[0]) {
    const rule = `needs one target for each of the ${logits.shape[0]} rows, got ${labels.length}`;
    throw new ShapeError({ op: 'crossEntropy', argument: 'labels', got: { logits }, rule });
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new RangeError(`crossEntropy(logits): labelSmoothing: needs 0 ≤ ε ≤ 1, got ${labelSmoothing}`);
  }
  if (weight !== undefined) {
    requireSameDType('crossEntropy', { logits: logits.view, weight: weight.view });
    requireShape('crossEntropy', 'weight', weight.view, [V]);
  }
  // Ignored rows count 0 and look at class 0, whatever is there.
  const counted = labels.map((label) => Number(label !== ignoreIndex));
  const classes = int32(labels.map((label, n) => (counted[n] === 0 ? 0 : label)));
  const counts = weight === undefined ? null : weight.gatherRows(classes).mul(like(logits, counted)); // [N]
  const losses =
    labelSmoothing === 0
      ? rowLosses(logits, int32(labels), counts, ignoreIndex)
      : smoothedLosses(logits, classes, counted, weight, labelSmoothing);
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return losses.sum();
  return losses.sum().div(counts === null ? counted.reduce((n, one) => n + one, 0) : counts.sum());
}

const int32 = (values: readonly number[]): Tensor =>
  Tensor.fromArray(values, [values.length], { dtype: 'int32' });

const like = ({ dtype }: Tensor, values: readonly number[]): Tensor =>
  Tensor.fromArray(values, [values.length], { dtype });

/** −w ln p of each row's label. */
function rowLosses(logits: Tensor, labels: Tensor, counts: Tensor | null, ignoreIndex: number): Tensor {
  const losses = apply('crossEntropy', [logits, labels], { ignoreIndex });
  return counts === null ? losses : losses.mul(counts);
}

/** −Σ_v w_v q_v ln p_v with q = (1 − ε)·[v = label] + ε/V, in each row that counts. */
function smoothedLosses(
  logits: Tensor,
  classes: Tensor,
  counted: readonly number[],
  weight: Tensor | undefined,
  epsilon: number,
): Tensor {
  const { dtype } = logits;
  const V = logits.shape[1];
  const sharp = oneHot(classes, V, { dtype });
  const q = sharp.mul(1 - epsilon).add(epsilon / V);
  const losses = logits
    .logSoftmax()
    .mul(weight === undefined ? q : q.mul(weight))
    .sum(1)
    .neg();
  const isCounted = Tensor.fromArray(counted, [counted.length], { dtype: 'bool' });
  return where(isCounted, losses, Tensor.zeros([], { dtype }));
}
