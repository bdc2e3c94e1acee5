/** Runs a primitive: check, compute, and put it on the tape where an input needs a gradient. */
import type { Backend, BufferHandle, View } from '../kernels/index.ts';
import { discard, use, wantForGradient } from './lifetime.ts';
import { currentFrame, currentModulePath, pathOf } from './modulePath.ts';
import { type Gradients, inputName, type Op } from './op.ts';
import { isFloat } from './shape.ts';
import { isRecording, TapeNode, type Traced } from './tape.ts';
import { asOf, versionOf } from './version.ts';

let finiteCheck = false;

/**
 * Switches the finite-check mode: every op then reads its result back and throws at the first NaN or Inf, naming op,
 * module path and index. Slow; for finding where a run goes wrong.
 */
export function checkFinite(on: boolean): void {
  finiteCheck = on;
}

function requireFinite(k: Backend, what: string, view: View): void {
  if (!isFloat(view.buffer.dtype)) return;
  const data = k.readSync(view);
  const index = data.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  const path = currentModulePath();
  throw new Error(
    `${what} gave ${data[index]} at element ${index} of [${view.shape.join(',')}]${path === '' ? '' : ` in ${path}`}`,
  );
}

/** The result of `op`, and its tape node where a gradient is wanted. */
export function run<Attrs>(
  k: Backend,
  op: Op<Attrs>,
  inputs: readonly Traced[],
  attrs: Attrs,
): { readonly view: View; readonly node: TapeNode | null } {
  const views = inputs.map((input) => input.view);
  op.check(views, attrs);
  for (const { buffer } of views) use(k, buffer);
  const { out, saved = NOTHING } = op.forward(k, views, attrs);
  if (finiteCheck) requireFinite(k, op.name, out);
  const isWanted = isRecording() && isFloat(out.buffer.dtype) && inputs.some((input) => input.requiresGrad);
  if (isWanted) {
    for (const { buffer } of views) wantForGradient(k, buffer);
    wantForGradient(k, out.buffer);
    for (const { buffer } of saved) wantForGradient(k, buffer);
    return { view: out, node: new RecordedOp(inputs, { k, op, views, attrs, out, saved }) };
  }
  for (const { buffer } of saved) if (buffer !== out.buffer && isFresh(buffer, views)) discard(k, buffer);
  return { view: out, node: null };
}

const NOTHING: readonly View[] = [];

/** Whether a result has a buffer of its own: an op may give a view of what it was given. */
const isFresh = (buffer: BufferHandle, given: readonly View[]): boolean =>
  given.every((view) => view.buffer !== buffer);

interface Call<Attrs> {
  readonly k: Backend;
  readonly op: Op<Attrs>;
  readonly views: readonly View[];
  readonly attrs: Attrs;
  readonly out: View;
  readonly saved: readonly View[];
}

class RecordedOp<Attrs> extends TapeNode {
  readonly #op: Op<Attrs>;
  readonly #frame = currentFrame();
  /** Null once used. */
  #call: Call<Attrs> | null;
  /** Of inputs, result and what was saved, in this order. */
  readonly #versions: readonly number[];

  constructor(inputs: readonly Traced[], call: Call<Attrs>) {
    super(inputs);
    this.#op = call.op;
    this.#call = call;
    this.#versions = [...call.views, call.out, ...call.saved].map(({ buffer }) => versionOf(buffer));
  }

  get isUsed(): boolean {
    return this.#call === null;
  }

  where(): string {
    const path = pathOf(this.#frame);
    return path === '' ? this.#op.name : `${this.#op.name} in ${path}`;
  }

  inputName(index: number): string {
    return inputName(this.#op, index);
  }

  letGo(made: BufferHandle[]): void {
    if (this.#call === null) return;
    const { views, out, saved } = this.#call;
    for (const { buffer } of [out, ...saved]) if (isFresh(buffer, views)) made.push(buffer);
    this.#call = null;
  }

  pullback(dy: View): Gradients {
    if (this.#call === null) throw new Error(`${this.where()}: its graph was used already`);
    const { k, op, views, attrs, out, saved } = this.#call;
    if (finiteCheck) requireFinite(k, `the gradient that reached ${this.where()}`, dy);
    const then = (view: View, i: number, what: () => string) =>
      asOf(this.#versions[i], view, () => `${what()} of ${this.where()}`);
    const gradients = op.backward({
      k,
      inputs: views.map((view, i) => then(view, i, () => `input ${this.inputName(i)}`)),
      attrs,
      out: then(out, views.length, () => 'the result'),
      saved: saved.map((view, i) => then(view, views.length + 1 + i, () => 'what was saved')),
      dy,
    });
    return finiteCheck ? gradients.map((gradient, i) => gradient && this.#finite(k, gradient, i)) : gradients;
  }

  #finite(k: Backend, gradient: () => View, i: number): () => View {
    return () => {
      const g = gradient();
      requireFinite(k, `the gradient by ${this.inputName(i)} of ${this.where()}`, g);
      return g;
    };
  }
}
