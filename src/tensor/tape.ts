/**
 * The tape: which op made which tensor, and how a gradient flows back. Reverse-mode differentiation in one loop:
 * nodes are numbered as they are made, so going through them from the highest number down is a topological order, and
 * no recursion can overflow on a deep graph.
 */
import type { Backend, BufferHandle, View } from '../kernels/index.ts';
import { ShapeError, typeOf } from './errors.ts';
import { gradientPass, retire } from './lifetime.ts';
import { type Gradients, sumToShape } from './op.ts';
import { sameShape } from './shape.ts';

/** What the tape knows of a tensor. */
export interface Traced {
  readonly view: View;
  readonly requiresGrad: boolean;
  /** The op that made it; null for a leaf. */
  readonly node: TapeNode | null;
  /** Adds a gradient to a leaf. */
  accumulate(gradient: View): void;
}

let nextId = 0;
let recording = true;

/** True where ops are recorded (outside of `noGrad`). */
export function isRecording(): boolean {
  return recording;
}

/**
 * Runs `fn` without recording: results need no gradient and hold no graph. Spans `await`: with an async `fn` recording
 * rests until its promise settles, for whatever else runs meanwhile too.
 */
export function noGrad<R>(fn: () => R): R {
  const before = recording;
  const restore = () => {
    recording = before;
  };
  recording = false;
  let result: R;
  try {
    result = fn();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) return result.finally(restore) as R;
  restore();
  return result;
}

/** A call on the tape. A class, since one is made for every op: methods are shared, closures would not be. */
export abstract class TapeNode {
  readonly id = nextId++;
  /** Empty once used: a result that is kept must not hold the whole pass before it in memory. */
  inputs: readonly Traced[];

  constructor(inputs: readonly Traced[]) {
    this.inputs = inputs;
  }

  /** A backward went through it, and it let go. */
  abstract get isUsed(): boolean;

  /** Name of the op, and the module it ran in. */
  abstract where(): string;

  abstract inputName(index: number): string;

  /** Gradients of the inputs from that of the output. */
  abstract pullback(dy: View): Gradients;

  /** Adds the buffers that the op made, its result and what it saved, and lets go of them. */
  abstract letGo(made: BufferHandle[]): void;

  /** No second backward goes through here. */
  useUp(done: BufferHandle[]): void {
    this.letGo(done);
    for (const { node, requiresGrad, view } of this.inputs)
      if (node === null && !requiresGrad) done.push(view.buffer);
    this.inputs = [];
  }
}

/** Every node that leads to `root`, latest first. */
function nodesBehind(root: TapeNode): TapeNode[] {
  const seen = new Set<TapeNode>([root]);
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const { node: next } of node.inputs) {
      if (next === null || seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return [...seen].sort((a, b) => b.id - a.id);
}

export interface BackwardOptions {
  /** Leaves the graph as it is, so that `backward` can go through it again; its memory is then held until it is dropped. */
  readonly retainGraph?: boolean;
}

/**
 * Adds ∂root/∂leaf · seed to the gradient of every leaf behind `root`. The graph is used up, and its memory given back,
 * unless `retainGraph`: a second call throws.
 * @throws Error where the root has no graph, or a value it needs was changed in place; ShapeError where an op returns a
 *   gradient of a wrong shape
 */
export function backward(
  k: Backend,
  root: Traced,
  seed: () => View,
  { retainGraph = false }: BackwardOptions = {},
): void {
  const { node } = root;
  if (node === null && !root.requiresGrad)
    throw new Error('backward(): this tensor does not depend on any tensor that requires a gradient');
  noGrad(() =>
    gradientPass(k, () => {
      if (node === null) root.accumulate(seed());
      else sweep(k, nodesBehind(node), node, seed(), retainGraph);
    }),
  );
}

function sweep(
  k: Backend,
  nodes: readonly TapeNode[],
  root: TapeNode,
  seed: View,
  retainGraph: boolean,
): void {
  const pending = new Map<TapeNode, View>([[root, seed]]);
  const done: BufferHandle[] = [];
  for (const node of nodes) {
    const dy = pending.get(node);
    if (dy === undefined) continue;
    pending.delete(node);
    pullBack(k, node, dy, pending);
    if (!retainGraph) node.useUp(done);
  }
  for (const buffer of done) retire(k, buffer);
}

function pullBack(k: Backend, node: TapeNode, dy: View, pending: Map<TapeNode, View>): void {
  if (node.isUsed) {
    throw new Error(
      `backward(): the graph through ${node.where()} was used already; run the forward pass again, or keep it with ` +
        'backward(seed, { retainGraph: true })',
    );
  }
  const gradients = node.pullback(dy);
  node.inputs.forEach((input, i) => {
    const thunk = gradients[i];
    if (!input.requiresGrad || thunk === null) return;
    const g = checked(node, i, input, sumToShape(k, thunk(), input.view.shape));
    if (input.node === null) {
      input.accumulate(g);
      return;
    }
    const sum = pending.get(input.node);
    pending.set(input.node, sum === undefined ? g : k.binary('add', sum, g));
  });
}

function checked(node: TapeNode, index: number, input: Traced, gradient: View): View {
  if (sameShape(gradient.shape, input.view.shape) && gradient.buffer.dtype === input.view.buffer.dtype)
    return gradient;
  throw new ShapeError({
    op: `${node.where()} backward`,
    argument: node.inputName(index),
    got: { [node.inputName(index)]: typeOf(input.view), gradient: typeOf(gradient) },
    rule: 'the gradient has another shape or dtype than its input',
  });
}
