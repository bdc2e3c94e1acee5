/** ONNX's operators over ours: one table, from the operator's name to what it means. */

import type { OnnxOp } from './onnxCall.ts';
import { elementwise } from './onnxElementwise.ts';
import { gathers } from './onnxGather.ts';
import { products } from './onnxProducts.ts';
import { reductions } from './onnxReduce.ts';
import { shapes } from './onnxShapes.ts';

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
