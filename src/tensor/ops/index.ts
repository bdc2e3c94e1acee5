/** The primitives: every op that owns a gradient. Everything else in the library is composed from these. */
import type { Op } from '../op.ts';
import { attention } from './attention.ts';
import * as binary from './binary.ts';
import { cast } from './cast.ts';
import { concat } from './concat.ts';
import { crossEntropy } from './crossEntropy.ts';
import { gatherRows } from './gatherRows.ts';
import { matmul } from './matmul.ts';
import { expand, permute, reshape, slice } from './movement.ts';
import { layerNorm, rmsNorm } from './norm.ts';
import { max, sum } from './reduction.ts';
import { rotary } from './rotary.ts';
import { softmax } from './softmax.ts';
import { swiglu } from './swiglu.ts';
import * as unary from './unary.ts';
import { where } from './where.ts';

/** Ops that plainer ones could say (`composed.ts` does), in one pass over the data. */
export const fused = { softmax, attention, crossEntropy, layerNorm, rmsNorm, rotary, swiglu };

export const ops = {
  ...binary,
  ...unary,
  sum,
  max,
  matmul,
  reshape,
  permute,
  expand,
  slice,
  gatherRows,
  concat,
  where,
  cast,
  ...fused,
};

export type OpName = keyof typeof ops;

type AttrsOf<O> = O extends Op<infer A> ? A : never;
export type OpAttrs = { [N in OpName]: AttrsOf<(typeof ops)[N]> };
