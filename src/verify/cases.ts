/**
 * What PyTorch fixtures, gradients by differences and other backends are asked about: a function of named tensors, with its
 * samples. Every primitive's cases follow from its record and its samples.
 */

import {
  casesByOp,
  type ErrorCase,
  inputName,
  type Op,
  type OpName,
  ops,
  type Sample,
  type SampleInput,
} from '../tensor/cases.ts';
import { apply, Rng, type Tensor } from '../tensor/index.ts';
import { float32Numbers, hasGradient, sampleNumbers, sampleTensors, seedOf } from './samples.ts';

/** Tensors bound to the function: what gradients are taken by, and the function of their present values. */
export interface Bound {
  readonly leaves: readonly Tensor[];
  readonly compute: () => Tensor;
}

export interface Case {
  /** The op or module. */
  readonly of: string;
  /** Unique among its cases. */
  readonly note: string;
  /** Plain data; what PyTorch has to know beside the tensors. */
  readonly attrs: unknown;
  readonly names: readonly string[];
  readonly sample: Sample<unknown>;
  /** @param tensors the inputs in order, of one float dtype, laid out as the sample asks */
  bind(tensors: readonly Tensor[]): Bound;
}

/** A call that has to be refused, in float64. */
export interface Refusal {
  readonly of: string;
  readonly note: string;
  /** Class of the error, and a part of what it says. */
  readonly error: string;
  readonly says: string;
  attempt(): unknown;
}

/** Name of a case in the golden files. */
export const caseId = ({ of, note }: Pick<Case, 'of' | 'note'>): string => `${of}/${note}`;

/** The random numbers of a case: first its inputs, then the gradient that comes from above. */
export const caseRng = (one: Pick<Case, 'of' | 'note'>): Rng => new Rng(seedOf(caseId(one)));

/** The gradient from above: float32 numbers in ±1. Drawn after the inputs. */
export function upstreamNumbers(one: Case, size: number): number[] {
  const rng = caseRng(one);
  sampleNumbers(one.sample, rng);
  return float32Numbers(size, rng, -1, 1);
}

/** Which inputs get a gradient; an input that is another one again adds to that one's. */
export function gradientInputs({ sample, names }: Case): { readonly name: string; readonly index: number }[] {
  return names.flatMap((name, index) => {
    const input: SampleInput = sample.inputs[index];
    return hasGradient(input) && input.layout !== 'same' ? [{ name, index }] : [];
  });
}

export function opCases(): Case[] {
  const names = Object.keys(ops) as OpName[];
  return names.flatMap((of) => {
    const op: Op<never> = ops[of];
    const samples: readonly Sample<unknown>[] = casesByOp[of].samples;
    return samples.map((sample) => ({
      of,
      note: sample.note,
      attrs: sample.attrs,
      names: sample.inputs.map((_, i) => inputName(op, i)),
      sample,
      bind: (tensors) => ({
        leaves: tensors,
        compute: () => apply(of, tensors, sample.attrs as never),
      }),
    }));
  });
}

export function opRefusals(): Refusal[] {
  return (Object.keys(ops) as OpName[]).flatMap((name) => {
    const errors: readonly ErrorCase<unknown>[] = casesByOp[name].errors;
    return errors.map((bad) => ({
      of: name,
      note: bad.note,
      error: bad.error,
      says: bad.says,
      attempt: () => apply(name, sampleTensors(bad, new Rng(1), 'float64'), bad.attrs as never),
    }));
  });
}
