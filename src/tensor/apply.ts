/** Runs a primitive: check, compute, and put it on the tape where an input needs a gradient. */
import type { Backend, BufferHandle, View } from '../kernels/index.ts';
import { retire, use, wantForGradient } from './lifetime.ts';
import { currentFrame, currentModulePath, pathOf } from './modulePath.ts';
import { inputName, type Op } from './op.ts';
import { isFloat } from './shape.ts';
import { isRecording, makeNode, type TapeNode, type Traced } from './tape.ts';
import { snapshot } from './version.ts';

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
  const { out, saved = [] } = op.forward(k, views, attrs);
  if (finiteCheck) requireFinite(k, op.name, out);
  const isWanted = isRecording() && isFloat(out.buffer.dtype) && inputs.some((input) => input.requiresGrad);
  if (!isWanted) {
    if (saved.length > 0) for (const buffer of madeOf(saved, [...views, out])) retire(k, buffer);
    return { view: out, node: null };
  }
  for (const { buffer } of [...views, out, ...saved]) wantForGradient(k, buffer);
  const made = madeOf([out, ...saved], views);
  return { view: out, node: recorded(k, op, { inputs, views, attrs, out, saved }, made) };
}

/** Buffers of results that are not those of others: an op may give a view of what it was given. */
function madeOf(results: readonly View[], others: readonly View[]): ReadonlySet<BufferHandle> {
  const made = new Set(results.map(({ buffer }) => buffer));
  for (const { buffer } of others) made.delete(buffer);
  return made;
}

interface Call<Attrs> {
  readonly inputs: readonly Traced[];
  readonly views: readonly View[];
  readonly attrs: Attrs;
  readonly out: View;
  readonly saved: readonly View[];
}

function recorded<Attrs>(
  k: Backend,
  op: Op<Attrs>,
  { inputs, views, attrs, out, saved }: Call<Attrs>,
  made: ReadonlySet<BufferHandle>,
): TapeNode {
  const frame = currentFrame();
  const inputNames = (i: number) => inputName(op, i);
  const where = () => {
    const path = pathOf(frame);
    return path === '' ? op.name : `${op.name} in ${path}`;
  };
  const seen = [
    ...views.map((view, i) => snapshot(view, () => `input ${inputNames(i)}`)),
    snapshot(out, () => 'the result'),
    ...saved.map((view) => snapshot(view, () => 'what was saved')),
  ];
  return makeNode({
    where,
    inputs,
    inputNames,
    made,
    pullback: (dy) => {
      if (finiteCheck) requireFinite(k, `the gradient that reached ${where()}`, dy);
      const then = seen.map((one) => one(where));
      const gradients = op.backward({
        k,
        inputs: then.slice(0, views.length),
        attrs,
        out: then[views.length],
        saved: then.slice(views.length + 1),
        dy,
      });
      if (!finiteCheck) return gradients;
      return gradients.map(
        (gradient, i) =>
          gradient &&
          (() => {
            const g = gradient();
            requireFinite(k, `the gradient by ${inputNames(i)} of ${where()}`, g);
            return g;
          }),
      );
    },
  });
}
