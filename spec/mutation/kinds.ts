/** What a mutation is: a place of the source, and what may stand there instead. */
import type ts from 'typescript';

export type Kind =
  | 'gradient' // a thunk of a record's backward: twice, negated, zero
  | 'un-broadcast' // a gradient that is not summed back to its input's shape
  | 'arithmetic' // another operator, a term or factor left out
  | 'factor' // a result twice
  | 'sign' // a result negated
  | 'call' // another kernel or function, or what it was called on
  | 'swap' // two neighbours of one type change places
  | 'comparison'
  | 'condition'
  | 'logic' // ??, &&, ||
  | 'number'
  | 'boolean'
  | 'index'
  | 'statement'; // left out

/** One thing that may stand in a node's place. */
export interface Mutation {
  readonly kind: Kind;
  /** Source text. */
  readonly to: string;
  /** Nodes that must be of one type for this to be a mutation, rather than a program that does not compile. */
  readonly alike?: readonly [ts.Node, ts.Node];
}

export interface Mutant {
  /** From 1 in the order of the source; the same for the same source. */
  readonly id: number;
  readonly kind: Kind;
  readonly line: number;
  readonly from: string;
  readonly to: string;
  /** What it is in: the beginnings of the nodes around it, from the inside. */
  readonly within: readonly string[];
  /** Runs while the module loads: it has to be switched on before. */
  readonly atLoad: boolean;
}

/** In one line. */
export const plain = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** Text of a node without comments in front. */
export const textOf = (node: ts.Node): string => node.getText();
