/** A row of a verification: which promise was looked at, by how much it was missed, and the verdict. */

export type Status = 'OK' | 'DIFF' | 'SHAPE' | 'MISSING';

/**
 * What was looked at: a result, a gradient beside PyTorch's, one beside differences, both beside the op's definition, a message,
 * anything else.
 */
export type Check =
  | 'value'
  | 'gradient'
  | 'gradcheck'
  | 'definition'
  | 'error text'
  | 'training'
  | 'property';

/** Which promise a row is about. */
export interface Subject {
  /** Name of the row, unique in its folder, as in the golden files. */
  readonly name: string;
  /** The op or module, or whatever else was computed: "matmul", "model.layers.0.mlp". */
  readonly of: string;
  readonly check: Check;
}

export interface Row extends Subject {
  /** Shape of the truth. */
  readonly shape: readonly number[];
  /** Max abs error, or the mean where `measure` says so; null where there was nothing to compare. */
  readonly error: number | null;
  /** Mean abs error; null where there was nothing to compare. */
  readonly mean: number | null;
  /** PyTorch's own float32 error (max abs), where it is known. */
  readonly torchError: number | null;
  /** The error in units in the last place of float32; null where it was not computed in float32. */
  readonly ulps: number | null;
  /** What the worst element was allowed. */
  readonly allowed: number;
  /** Largest part of its allowance that an element uses. */
  readonly used: number;
  readonly status: Status;
  readonly measure: 'max' | 'mean';
  /** Why it is not OK, or why it is although it is off by more than others may be. */
  readonly note: string;
}
