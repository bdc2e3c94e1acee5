/**
 * X_I and X_T of one batch (CogVLM §2.1): which tokens go to which expert, and the way back into the order of the sequence.
 *
 *   sequence          bos boi i1 i2 eoi t1        X_I = boi i1 i2
 *   expert             L   V  V  V   L  L         X_T = bos eoi t1
 *
 * A kind that no token is of is a tensor without rows, and `concat` does not ask for its part: without a picture nothing
 * of the vision experts is computed, or gets a gradient. (Products without rows would be right as well, but they are a
 * tenth of a step of generation in a small model.)
 *
 * B batch, T sequence, D width; n_I and n_T image and text tokens of the whole batch
 */
import { concat, expectShape, Tensor } from '../../tensor/index.ts';

/** Row numbers: where X_I and X_T stand in the sequence, and where each token of it stands in concat(X_I, X_T). */
interface RowOrder {
  readonly image: Tensor;
  readonly text: Tensor;
  readonly back: Tensor;
}

export class ExpertRouting {
  readonly #batch: number;
  readonly #length: number;
  /** All tokens of one kind stay where they are: nothing is gathered. */
  readonly #order: RowOrder | 'all image' | 'all text';

  #none: Tensor | undefined;

  /** @param mask [B, T], true for the vision expert */
  constructor(mask: readonly (readonly boolean[])[]) {
    this.#batch = mask.length;
    this.#length = mask[0].length;
    const flat = mask.flat();
    const image = flat.flatMap((vision, i) => (vision ? [i] : []));
    const text = flat.flatMap((vision, i) => (vision ? [] : [i]));
    if (image.length === 0) this.#order = 'all text';
    else if (text.length === 0) this.#order = 'all image';
    else {
      // concat puts token `order[n]` at row n; the way back is the inverse of that permutation.
      const back = new Array<number>(flat.length);
      for (const [row, token] of [...image, ...text].entries()) back[token] = row;
      const index = (rows: readonly number[]) => Tensor.fromArray(rows, [rows.length], { dtype: 'int32' });
      this.#order = { image: index(image), text: index(text), back: index(back) };
    }
  }

  /**
   * @shape X [B, T, D] → X_I [n_I, D] and X_T [n_T, D]
   * @throws ShapeError where X is not of the tokens that were told apart
   */
  split(X: Tensor): { X_I: Tensor; X_T: Tensor } {
    const sizes = { B: this.#batch, T: this.#length };
    const { B, T, D } = expectShape(X, 'B T D', { op: 'ExpertRouting.split', argument: 'X', sizes });
    const rows = X.reshape(B * T, D);
    if (this.#order === 'all text') return { X_I: this.#noRows(rows), X_T: rows };
    if (this.#order === 'all image') return { X_I: rows, X_T: this.#noRows(rows) };
    return { X_I: rows.gatherRows(this.#order.image), X_T: rows.gatherRows(this.#order.text) };
  }

  /** [0, D], one for all layers. */
  #noRows(rows: Tensor): Tensor {
    if (this.#none?.shape[1] !== rows.shape[1]) this.#none = rows.detach().slice(0, 0, 0);
    return this.#none;
  }

  /**
   * concat(Y_I, Y_T) in the order of the sequence; each part is computed where it has tokens.
   * @shape Y_I [n_I, D], Y_T [n_T, D] → [B, T, D]
   */
  concat(Y_I: () => Tensor, Y_T: () => Tensor): Tensor {
    const rows = this.#concatRows(Y_I, Y_T);
    return rows.reshape(this.#batch, this.#length, rows.shape[1]);
  }

  #concatRows(Y_I: () => Tensor, Y_T: () => Tensor): Tensor {
    if (this.#order === 'all text') return Y_T();
    if (this.#order === 'all image') return Y_I();
    return concat([Y_I(), Y_T()]).gatherRows(this.#order.back);
  }
}
