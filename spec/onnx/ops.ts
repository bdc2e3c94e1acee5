/** ONNX's operators over ours: one table, from the operator's name to what it means. */

import type { OnnxOp } from './call.ts';
import { elementwise } from './elementwise.ts';
import { gathers } from './gather.ts';
import { products } from './products.ts';
import { reductions } from './reduce.ts';
import { shapes } from './shapes.ts';

export const onnxOps: ReadonlyMap<string, OnnxOp> = new Map(
  Object.entries({ ...elementwise, ...reductions, ...shapes, ...gathers, ...products }),
);

/** Elementwise operators and reductions that only move, choose or compare numbers. */
const CHOOSING = `Abs And ArgMax ArgMin Cast CastLike Ceil Clip Dropout Equal Floor GlobalMaxPool Greater GreaterOrEqual
  Hardmax Identity IsInf IsNaN Less LessOrEqual Max MaxPool Min Neg Not Or ReduceMax ReduceMin Relu Round Sign
  ThresholdedRelu Where Xor`;

/** Operators whose results are not rounded, whatever is computed in. */
export const EXACT_OPS: ReadonlySet<string> = new Set([
  ...CHOOSING.split(/\s+/),
  ...Object.keys(gathers),
  ...Object.keys(shapes).filter((op) => op !== 'Range'),
]);
