/**
 * What a wrong shape or dtype says: the op, the argument, what came, the rule, a hint, and the module it happened in:
 *
 *   matmul(a, b): inner sizes differ: a is float32[2,3,4] (axis 2 is 4), b is float32[5,6] (axis 0 is 5).
 *   Hint: did you mean b.transpose()? In model.layers.3.self_attn.
 */
import type { DType, View } from '../kernels/index.ts';
import { currentModulePath } from './modulePath.ts';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export function typeOf(view: View): TensorType {
  return { dtype: view.buffer.dtype, shape: view.shape };
}

/** `float32[2,3]` */
export function formatType(t: TensorType): string {
  return `${t.dtype}[${t.shape.join(',')}]`;
}

export interface ErrorDetails {
  /** Name of the op, "matmul". */
  readonly op: string;
  /** Name of the offending argument, "b". */
  readonly argument: string;
  /** Every tensor that takes part, by argument name. */
  readonly got: Readonly<Record<string, TensorType>>;
  /** The rule that was broken. */
  readonly rule: string;
  readonly axis?: number;
  readonly hint?: string;
}

class TensorError extends Error {
  readonly op: string;
  readonly argument: string;
  readonly got: Readonly<Record<string, TensorType>>;
  readonly axis: number | undefined;
  readonly hint: string | undefined;
  /** Path of the module whose forward was running, or ''. */
  readonly modulePath: string;

  constructor(details: ErrorDetails) {
    const got = Object.entries(details.got).map(([name, t]) => `${name} is ${formatType(t)}`);
    const axis = details.axis === undefined ? '' : ` (axis ${details.axis})`;
    const path = currentModulePath();
    super(
      `${details.op}(${Object.keys(details.got).join(', ')}): ${details.argument}: ${details.rule}${axis}` +
        (got.length > 0 ? `: ${got.join(', ')}.` : '.') +
        (details.hint === undefined ? '' : ` Hint: ${details.hint}`) +
        (path === '' ? '' : ` In ${path}.`),
    );
    this.op = details.op;
    this.argument = details.argument;
    this.got = details.got;
    this.axis = details.axis;
    this.hint = details.hint;
    this.modulePath = path;
  }
}

/** Sizes that do not fit together. */
export class ShapeError extends TensorError {
  override readonly name = 'ShapeError';
}

/** Dtypes that do not fit together, or that an op does not compute in. */
export class DTypeError extends TensorError {
  override readonly name = 'DTypeError';
}
