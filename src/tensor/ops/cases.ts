/** Samples and error cases of every primitive, file by file. An op that has none here does not compile. */
import type { CasesOf } from '../sample.ts';
import * as attention from './attention.cases.ts';
import * as binary from './binary.cases.ts';
import * as cast from './cast.cases.ts';
import * as concat from './concat.cases.ts';
import * as crossEntropy from './crossEntropy.cases.ts';
import * as gatherRows from './gatherRows.cases.ts';
import type { OpName, ops } from './index.ts';
import * as matmul from './matmul.cases.ts';
import * as movement from './movement.cases.ts';
import * as norm from './norm.cases.ts';
import * as reduction from './reduction.cases.ts';
import * as rotary from './rotary.cases.ts';
import * as softmax from './softmax.cases.ts';
import * as swiglu from './swiglu.cases.ts';
import * as unary from './unary.cases.ts';
import * as where from './where.cases.ts';

export const casesByOp: { readonly [N in OpName]: CasesOf<(typeof ops)[N]> } = {
  ...binary,
  ...unary,
  ...reduction,
  ...matmul,
  ...movement,
  ...gatherRows,
  ...concat,
  ...where,
  ...cast,
  ...softmax,
  ...attention,
  ...crossEntropy,
  ...norm,
  ...rotary,
  ...swiglu,
};
