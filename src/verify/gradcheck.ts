/**
 * Gradients beside central differences of fourth order in float64: for f = Σ w ⊙ y with random w,
 *
 *   ∂f/∂x_i ≈ Σ w ⊙ (8·(y(x + h e_i) − y(x − h e_i)) − (y(x + 2h e_i) − y(x − 2h e_i))) / 12h,
 *
 * which is off by O(h⁴) + O(ε/h), together about 1e-11 at h = 1e-5. Differences are taken before the sum, so that what x_i
 * does not touch adds no rounding.
 */
import type { HostArray } from '../kernels/index.ts';
import { DTypeError, noGrad, Rng, scope, Tensor } from '../tensor/index.ts';
import { compare, describeComparison } from './compare.ts';
import { GRADCHECK, type Tolerance } from './tolerances.ts';

export const STEP = 1e-5;

/** Elements of one input that are moved; of larger ones this many, drawn by chance, stand for all. */
const MOST = 48;

export interface GradientPair {
  readonly input: Tensor;
  /** Flat indices of the elements that were moved. */
  readonly at: readonly number[];
  /** By backward, and by differences, at these elements. */
  readonly exact: readonly number[];
  readonly numeric: readonly number[];
}

/**
 * @param f computes the output from the current values of `inputs` (float64, on a backend that answers at once)
 * @returns for each different input that requires a gradient, both gradients
 */
export function gradientPairs(f: () => Tensor, inputs: readonly Tensor[], rng: Rng): GradientPair[] {
  const leaves = [...new Set(inputs)].filter((x) => x.requiresGrad);
  return scope(() => {
    const { gradients, weights } = exactGradients(f, leaves, rng);
    const value = () => scope(() => noGrad(() => f().data));
    return leaves.map((input, of) => {
      const exact = gradients[of];
      const all = Array.from({ length: input.size }, (_, i) => i);
      const at = all.length <= MOST ? all : rng.shuffle(all).slice(0, MOST);
      const numeric = at.map((i) => difference(input, i, value, weights));
      return { input, at, exact: at.map((i) => exact[i]), numeric };
    });
  });
}

/** By `backward`, from random weights. `.grad` of every leaf behind the result is afterwards what it was, also of other ones. */
function exactGradients(f: () => Tensor, leaves: readonly Tensor[], rng: Rng) {
  const y = f();
  const before = [...new Set([...leaves, ...leavesBehind(y)])].map((leaf) => ({ leaf, grad: leaf.grad }));
  for (const { leaf } of before) leaf.grad = null;
  try {
    const w = Tensor.uniform(y.shape, rng, -1, 1, { dtype: 'float64' });
    if (y.requiresGrad) y.backward(w);
    const gradients = leaves.map(({ grad, size }) => (grad === null ? new Float64Array(size) : grad.data));
    return { gradients, weights: w.data };
  } finally {
    for (const { leaf, grad } of before) {
      leaf.zeroGrad();
      leaf.grad = grad;
    }
  }
}

/** The leaves that a backward pass from y would reach. */
function leavesBehind(y: Tensor): Tensor[] {
  const seen = new Set<unknown>([y.node]);
  const open = [y.node];
  const leaves: Tensor[] = [];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const input of node?.inputs ?? []) {
      if (input.node === null && input.requiresGrad && input instanceof Tensor) leaves.push(input);
      if (seen.has(input.node)) continue;
      seen.add(input.node);
      open.push(input.node);
    }
  }
  return leaves;
}

function difference(
  input: Tensor,
  index: number,
  value: () => ArrayLike<number>,
  w: ArrayLike<number>,
): number {
  const values = input.data;
  // Not by `input.assign`: all is put back, so for graphs that are there already nothing has changed.
  const write = (numbers: HostArray) =>
    scope(() => {
      const source = Tensor.fromArray(numbers, input.shape, { dtype: 'float64' });
      input.backend.assign(input.view, source.view);
    });
  const at = (step: number) => {
    const moved = values.slice();
    moved[index] += step;
    write(moved);
    return value();
  };
  let moved: ArrayLike<number>[];
  try {
    moved = [STEP, -STEP, 2 * STEP, -2 * STEP].map(at);
  } finally {
    write(values);
  }
  const [above, below, farAbove, farBelow] = moved;
  let sum = 0;
  for (let j = 0; j < w.length; j++) sum += w[j] * (8 * (above[j] - below[j]) - (farAbove[j] - farBelow[j]));
  return sum / (12 * STEP);
}

export interface GradcheckOptions {
  readonly tolerance?: Tolerance;
  /** Draws the gradient from above, and the elements of large inputs. */
  readonly rng?: Rng;
}

/**
 * Says nothing where the gradients of a function are right, for whoever writes an op or a module of their own:
 *
 *   const x = Tensor.randn([3, 4], new Rng(1), { dtype: 'float64', requiresGrad: true });
 *   gradcheck(() => x.mul(x.sigmoid()), [x]);
 *
 * @param f computes the output from the present values of `inputs`; they are moved and put back, and gradients that were there
 * stay, also where something throws; graphs that were made of them before can still be differentiated
 * @throws DTypeError where an input is not float64; Error where none requires a gradient, or one is off: which input, how many
 * of its elements, and by how much
 */
export function gradcheck(
  f: () => Tensor,
  inputs: readonly Tensor[],
  { tolerance = GRADCHECK, rng = new Rng(0) }: GradcheckOptions = {},
): void {
  const leaves = inputs.filter(({ requiresGrad }) => requiresGrad);
  if (leaves.length === 0) throw new Error('gradcheck(f, inputs): no input requires a gradient');
  const odd = leaves.find(({ dtype }) => dtype !== 'float64');
  if (odd !== undefined) {
    const argument = `inputs[${inputs.indexOf(odd)}]`;
    const rule = 'needs float64: differences of float32 numbers are noise';
    throw new DTypeError({ op: 'gradcheck', argument, got: { [argument]: odd }, rule });
  }
  for (const { input, at, exact, numeric } of gradientPairs(f, inputs, rng)) {
    const found = compare(numeric, exact, tolerance);
    if (found.used <= 1) continue;
    const place = `inputs[${inputs.indexOf(input)}]`;
    const part = at.length < input.size ? ` (${at.length} of ${input.size} elements were moved)` : '';
    throw new Error(
      `gradcheck: the gradient by ${place} is not what differences say${part}: ${describeComparison(found, [at.length], numeric, exact)}`,
    );
  }
}
