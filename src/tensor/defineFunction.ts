/** A differentiable function of one's own: value and gradient written with tensors, on the tape like a primitive. */
import type { View } from '../kernels/index.ts';
import { ShapeError } from './errors.ts';
import { type Gradients, type Op, once } from './op.ts';
import { sameShape } from './shape.ts';
import { noGrad } from './tape.ts';
import { applyOp, Tensor } from './tensor.ts';

/** The gradients of a function: of the result's gradient, those of its inputs. */
export interface BackwardOf<Attrs> {
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  /** What `forward` gave. */
  readonly out: Tensor;
  readonly saved: readonly Tensor[];
  /** Gradient by the result, of its shape and dtype. */
  readonly dy: Tensor;
}

/** A differentiable function of one's own: value and gradients. */
export interface FunctionDefinition<Attrs> {
  /** Stands in messages and in the module path of errors. */
  readonly name: string;
  /** The result, alone or with what the gradient wants beside inputs and result. Nothing in it is recorded. */
  forward(
    inputs: readonly Tensor[],
    attrs: Attrs,
  ): Tensor | { readonly out: Tensor; readonly saved?: readonly Tensor[] };
  /** Gradients of the inputs in order, each of its input's shape and dtype; null for one that has none. */
  backward(of: BackwardOf<Attrs>): readonly (Tensor | null)[];
}

/** What `forward` gave, which is looked at before it is believed. */
function resultOf(result: unknown): { readonly out?: unknown; readonly saved?: readonly Tensor[] } {
  if (result instanceof Tensor || typeof result !== 'object' || result === null) return { out: result };
  return result;
}

/**
 * A function with a gradient of its own, as torch.autograd.Function, for any backend:
 *
 *   const square = defineFunction({
 *     name: 'square',
 *     forward: ([x]) => x.mul(x),
 *     backward: ({ inputs: [x], dy }) => [dy.mul(x).mul(2)],
 *   });
 *   const y = square([x]);
 *
 * `gradcheck(() => square([x]), [x])` tells whether the gradient is right. What else it depends on are attributes, the second
 * argument.
 * @throws (the function, at `backward()`) Error where there are more or fewer gradients than inputs, ShapeError where one has
 * another shape or dtype than its input; both name the function
 */
export function defineFunction<Attrs = void>(
  definition: FunctionDefinition<Attrs>,
): (inputs: readonly Tensor[], attrs: Attrs) => Tensor {
  const { name } = definition;
  const op: Op<Attrs> = {
    name,
    inputs: ['input'],
    variadic: true,
    check() {},
    forward(k, views, attrs) {
      const given = views.map((view) => new Tensor(k, view));
      const result: unknown = noGrad(() => definition.forward(given, attrs));
      const { out, saved = [] } = resultOf(result);
      if (!(out instanceof Tensor))
        throw new TypeError(`${name}: forward gave ${String(out)}, expected a Tensor`);
      return { out: out.view, saved: saved.map(({ view }) => view) };
    },
    backward({ k, inputs, attrs, out, saved, dy }): Gradients {
      const tensor = (view: View) => new Tensor(k, view);
      const gradients = once(() => {
        const found = definition.backward({
          inputs: inputs.map(tensor),
          attrs,
          out: tensor(out),
          saved: saved.map(tensor),
          dy: tensor(dy),
        });
        if (found.length !== inputs.length) {
          throw new Error(
            `${name}: backward gave ${found.length} gradients, expected ${inputs.length}, one for each input or null`,
          );
        }
        return found;
      });
      return inputs.map((view, i) => () => {
        const input = tensor(view);
        const gradient = gradients()[i];
        if (gradient === null) return k.fill(view.shape, 0, input.dtype);
        // More axes the tape would sum over; another dtype it refuses in these words.
        if (sameShape(gradient.shape, view.shape)) return gradient.view;
        const argument = `input${i}`;
        const rule = 'the gradient has another shape or dtype than its input';
        throw new ShapeError({
          op: `${name} backward`,
          argument,
          got: { [argument]: input, gradient },
          rule,
        });
      });
    },
  };
  return (inputs, attrs) => {
    if (inputs.length === 0) throw new TypeError(`${name}: needs at least one input`);
    return applyOp(op, inputs, attrs);
  };
}
