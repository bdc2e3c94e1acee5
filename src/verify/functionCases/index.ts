/**
 * Composed functions: what the library makes of its primitives, each with samples and error cases. A function of
 * `src/tensor/functions` or a method that gives tensors, and is neither a primitive nor has a record here, does not compile.
 */

import { type functions, inputName, type OpName } from '../../tensor/cases.ts';
import { Rng, type Tensor } from '../../tensor/index.ts';
import type { Case, Refusal } from '../cases.ts';
import { sampleTensors } from '../samples.ts';
import { conv2dCases } from './conv2d.ts';
import { crossEntropyCases } from './crossEntropy.ts';
import { einsumCases } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { indexing } from './indexing.ts';
import { type FunctionRecord, REFUSES_NOTHING } from './record.ts';
import { reductions } from './reductions.ts';
import { shapes } from './shapes.ts';

/** Names in T of what can be called. */
type Callable<T, Result> = { [N in keyof T]: T[N] extends (...args: never[]) => Result ? N : never }[keyof T];

/** `to` is the primitive `cast`; the others are about memory and the graph, and give the tensor itself. */
type NoFunction = OpName | 'to' | 'detach' | 'keep';

type FunctionName =
  | Exclude<Callable<Tensor, Tensor | readonly Tensor[]>, NoFunction>
  | Exclude<Callable<typeof functions, unknown>, OpName>
  | 'conv2d'
  | 'crossEntropy';

const records = {
  ...shapes,
  ...elementwise,
  ...reductions,
  ...indexing,
  einsum: einsumCases,
  conv2d: conv2dCases,
  crossEntropy: crossEntropyCases,
} satisfies Readonly<Record<FunctionName, unknown>>;

const all = Object.entries(records) as unknown as [string, FunctionRecord<unknown>][];

export function functionCases(): Case[] {
  return all.flatMap(([of, record]) =>
    record.samples.map((sample) => ({
      of,
      note: sample.note,
      attrs: sample.attrs,
      names: sample.inputs.map((_, i) => inputName(record, i)),
      sample,
      bind: (tensors) => ({ leaves: tensors, compute: () => record.call(tensors, sample.attrs) }),
    })),
  );
}

export function functionRefusals(): Refusal[] {
  return all.flatMap(([of, { call, errors }]) =>
    errors === REFUSES_NOTHING
      ? []
      : errors.map(({ note, error, says, ...bad }) => ({
          of,
          note,
          error,
          says,
          attempt: () => call(sampleTensors({ note, ...bad }, new Rng(1), 'float64'), bad.attrs),
        })),
  );
}
