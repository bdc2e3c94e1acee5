/** Runs a primitive: check, compute, and put it on the tape where an input needs a gradient. */
import type { Backend, View } from '../kernels/backend.ts';
import { currentModulePath } from './modulePath.ts';
import { inputName, type Op } from './op.ts';
import { isFloat } from './shape.ts';
import { isRecording, makeNode, type TapeNode, type Traced } from './tape.ts';

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
  const { out, saved = [] } = op.forward(k, views, attrs);
  if (finiteCheck) requireFinite(k, op.name, out);
  const wanted = isRecording() && isFloat(out.buffer.dtype) && inputs.some((input) => input.requiresGrad);
  if (!wanted) return { view: out, node: null };
  const path = currentModulePath();
  const where = path === '' ? op.name : `${op.name} in ${path}`;
  const inputNames = (i: number) => inputName(op, i);
  const node = makeNode({
    op: where,
    inputs,
    inputNames,
    pullback: (dy) => {
      if (finiteCheck) requireFinite(k, `the gradient that reached ${where}`, dy);
      const gradients = op.backward({ k, inputs: views, attrs, out, saved, dy });
      if (!finiteCheck) return gradients;
      return gradients.map(
        (gradient, i) =>
          gradient &&
          (() => {
            const g = gradient();
            requireFinite(k, `the gradient by ${inputNames(i)} of ${where}`, g);
            return g;
          }),
      );
    },
  });
  return { view: out, node };
}
