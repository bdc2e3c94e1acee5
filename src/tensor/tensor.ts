/**
 * The tensor: elements, their place on the tape, and a method for everything that is done to one. Eager: an op computes when it
 * is called. Gradients and kernels are in `ops/`; what is more than one primitive here is composed of others.
 */
import type { NdArray } from 'ndarray';
import {
  type Backend,
  type CompareName,
  type DType,
  denseView,
  expandView,
  requireInt32,
  sizeOf,
  type View,
} from '../kernels/index.ts';
import { run } from './apply.ts';
import {
  type Axes,
  expandedShape,
  filledShape,
  flattenedShape,
  normalizeAxes,
  partLengths,
  unsqueezedShape,
} from './axes.ts';
import { getBackend } from './context.ts';
import { Elements } from './elements.ts';
import { DTypeError, ShapeError } from './errors.ts';
import { flattened, hostArray, type Nested, ndarrayNumbers } from './hostNumbers.ts';
import { keepBuffer, keepGradient, releaseBuffer, track, use } from './lifetime.ts';
import type { Op } from './op.ts';
import { type OpAttrs, type OpName, ops } from './ops/index.ts';
import type { Rng } from './random.ts';
import {
  broadcastOrThrow,
  normalizeAxis,
  requireDType,
  requireSameDType,
  requireShape,
  sameShape,
} from './shape.ts';
import { type BackwardOptions, backward, type TapeNode, type Traced } from './tape.ts';
import { versionOf, written } from './version.ts';

/** What a new tensor is made as. */
export interface TensorOptions {
  /** Default float32. */
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

export interface VarianceOptions {
  /** What is taken off the number of elements that the sum is divided by. Default 1. */
  readonly correction?: number;
  readonly keepDim?: boolean;
}

/** Numbers with a shape and a dtype on a backend, and what is needed for their gradient. */
export class Tensor extends Elements implements Traced {
  readonly node: TapeNode | null;
  requiresGrad: boolean;
  /** Gradient of a leaf, after `backward()`. */
  grad: Tensor | null = null;

  constructor(backend: Backend, view: View, node: TapeNode | null = null, requiresGrad = node !== null) {
    super(backend, view);
    this.node = node;
    this.requiresGrad = requiresGrad;
    track(backend, view.buffer, requiresGrad);
  }

  // ---- making ---------------------------------------------------------------------------------------------------

  /** From nested arrays. @throws ShapeError where they are ragged */
  static from(values: Nested, options: TensorOptions = {}): Tensor {
    const { flat, shape } = flattened(values);
    return Tensor.fromArray(flat, shape, options);
  }

  /**
   * From numbers in row-major order; int32 cuts fractions off. @throws ShapeError where their count is not that of the shape,
   * RangeError where an int32 is to hold NaN or what is beyond its range
   */
  static fromArray(values: ArrayLike<number>, shape: readonly number[], options: TensorOptions = {}): Tensor {
    const { dtype = 'float32', requiresGrad = false } = options;
    const backend = getBackend();
    if (!backend.dtypes.includes(dtype)) {
      const rule = `the ${backend.name} backend computes in ${backend.dtypes.join(', ')}, not ${dtype}`;
      throw new DTypeError({ op: 'Tensor', argument: 'dtype', got: {}, rule });
    }
    const buffer = backend.upload(hostArray(values, shape, dtype));
    return new Tensor(backend, denseView(buffer, [...shape]), null, requiresGrad);
  }

  static full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
    const backend = getBackend();
    const { dtype = 'float32', requiresGrad = false } = options;
    if (dtype === 'int32') requireInt32('Tensor.full', 0, value);
    const held = dtype === 'float32' ? Math.fround(value) : value;
    return new Tensor(backend, backend.fill([...shape], held, dtype), null, requiresGrad);
  }

  static zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
    return Tensor.full(shape, 0, options);
  }

  static ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
    return Tensor.full(shape, 1, options);
  }

  /** 0, 1, … length − 1 as int32 unless another dtype is asked for. */
  static arange(length: number, options: TensorOptions = {}): Tensor {
    return Tensor.fromArray(
      Array.from({ length }, (_, i) => i),
      [length],
      { dtype: 'int32', ...options },
    );
  }

  /** Standard normal numbers. */
  static randn(shape: readonly number[], rng: Rng, options: TensorOptions = {}): Tensor {
    return Tensor.fromArray(
      Array.from({ length: sizeOf(shape) }, () => rng.normal()),
      shape,
      options,
    );
  }

  /** Uniform in [low, high). */
  static uniform(shape: readonly number[], rng: Rng, low = 0, high = 1, options: TensorOptions = {}): Tensor {
    const draw = () => low + (high - low) * rng.uniform();
    return Tensor.fromArray(Array.from({ length: sizeOf(shape) }, draw), shape, options);
  }

  /** Copies an ndarray of float32, float64, int32 or uint8 (bool); other number types need a `dtype`. */
  static fromNdarray(array: NdArray, options: TensorOptions = {}): Tensor {
    const { values, shape, dtype } = ndarrayNumbers(array, options.dtype);
    return Tensor.fromArray(values, shape, { ...options, dtype });
  }

  // ---- gradients and memory -------------------------------------------------------------------------------------

  /**
   * Adds this tensor's gradients to `.grad` of every leaf behind it; `seed` (default 1) is the gradient it starts from. The
   * memory of the pass behind it goes back, unless `retainGraph`; what the caller holds can still be read.
   * @throws ShapeError where there is no seed for more than one element; Error where the graph was used already, or a value
   *   that a gradient needs was changed in place
   */
  backward(seed?: Tensor, options: BackwardOptions = {}): void {
    if (seed === undefined && this.size !== 1) {
      throw new ShapeError({
        op: 'backward',
        argument: 'seed',
        got: { x: this },
        rule: 'only one element can go without a seed',
        hint: 'reduce to a loss, or pass a seed of this shape.',
      });
    }
    if (seed !== undefined) {
      requireSameDType('backward', { x: this.view, seed: seed.view });
      requireShape('backward', 'seed', seed.view, this.shape);
    }
    backward(this.backend, this, () => seed?.view ?? this.backend.fill(this.shape, 1, this.dtype), options);
  }

  accumulate(gradient: View): void {
    const before = this.grad;
    // The first gradient may share its buffer with a tensor or with another leaf's gradient: it gets its own.
    const sum =
      before === null ? this.backend.copy(gradient) : this.backend.binary('add', before.view, gradient);
    keepGradient(this.backend, sum.buffer);
    this.grad = new Tensor(this.backend, sum, null, false);
    before?.dispose();
  }

  /** Forgets the gradient and gives its memory back. */
  zeroGrad(): void {
    this.grad?.dispose();
    this.grad = null;
  }

  /** The same elements without a graph behind them. */
  detach(): Tensor {
    return new Tensor(this.backend, this.view, null, false);
  }

  /** Lives until disposed, whatever scope it was made in. */
  keep(): this {
    keepBuffer(this.view.buffer);
    return this;
  }

  /** Gives the buffer back now; views of it are lost with it. */
  dispose(): void {
    releaseBuffer(this.backend, this.view.buffer);
  }

  /** Overwrites the elements in place, with `source` broadcast to this shape; not recorded. */
  assign(source: Tensor): void {
    const got = { destination: this.view, source: source.view };
    requireSameDType('assign', got);
    if (
      !sameShape(broadcastOrThrow('assign', this.view, source.view, ['destination', 'source']), this.shape)
    ) {
      const rule = 'does not broadcast to the destination';
      throw new ShapeError({
        op: 'assign',
        argument: 'source',
        got: { destination: this, source },
        rule,
      });
    }
    for (const { view } of [this, source]) use(this.backend, view.buffer);
    this.backend.assign(this.view, expandView(source.view, this.shape));
    this.wasWritten();
  }

  /** Times that the elements were written in place since they were made. */
  get version(): number {
    return versionOf(this.view.buffer);
  }

  /** To be called by whoever writes the elements in place: a gradient that needs those of before is refused from then on. */
  wasWritten(): void {
    written(this.view.buffer);
  }

  // ---- primitives -----------------------------------------------------------------------------------------------

  add(b: Tensor | number): Tensor {
    return apply('add', [this, this.#operand('add', b)], {});
  }

  sub(b: Tensor | number): Tensor {
    return apply('sub', [this, this.#operand('sub', b)], {});
  }

  mul(b: Tensor | number): Tensor {
    return apply('mul', [this, this.#operand('mul', b)], {});
  }

  div(b: Tensor | number): Tensor {
    return apply('div', [this, this.#operand('div', b)], {});
  }

  pow(b: Tensor | number): Tensor {
    return apply('pow', [this, this.#operand('pow', b)], {});
  }

  maximum(b: Tensor | number): Tensor {
    return apply('maximum', [this, this.#operand('maximum', b)], {});
  }

  /** The smaller of both; at a tie each gets half of the gradient, and NaN wins. */
  minimum(b: Tensor | number): Tensor {
    const other = this.#operand('minimum', this.#held(b));
    requireSameDType('minimum', { a: this.view, b: other.view });
    requireDType('minimum', 'a', this.view, ['float32', 'float64', 'int32']);
    broadcastOrThrow('minimum', this.view, other.view);
    if (this.dtype === 'int32') return apply('where', [this.lt(other), this, other], {});
    return this.neg().maximum(other.neg()).neg();
  }

  /**
   * Nothing below `min`, nothing above `max`; where they cross, `max`. What is inside gets the gradient, the bounds included; NaN
   * stays NaN and has none.
   * @throws ShapeError where neither bound is given
   */
  clamp({ min, max }: { readonly min?: Tensor | number; readonly max?: Tensor | number }): Tensor {
    if (min === undefined && max === undefined) {
      throw new ShapeError({ op: 'clamp', argument: 'bounds', got: { x: this }, rule: 'needs min or max' });
    }
    requireDType('clamp', 'x', this.view, ['float32', 'float64', 'int32']);
    const within = (x: Tensor, name: 'min' | 'max', bound: Tensor | number | undefined): Tensor => {
      if (bound === undefined) return x;
      const b = x.#operand('clamp', x.#held(bound));
      requireSameDType('clamp', { x: x.view, [name]: b.view });
      broadcastOrThrow('clamp', x.view, b.view, ['x', name]);
      const [inside, outside] = name === 'min' ? [x.ge(b), x.lt(b)] : [x.le(b), x.gt(b)];
      // Neither holds where one of both is NaN.
      const other =
        x.dtype === 'int32' ? b : apply('where', [outside, b, x.#operand('clamp', Number.NaN)], {});
      return apply('where', [inside, x, other], {});
    };
    return within(within(this, 'min', min), 'max', max);
  }

  /** A float32 tensor holds the nearest float32, and so must the number that it is compared with. */
  #held(b: Tensor | number): Tensor | number {
    return typeof b === 'number' && this.dtype === 'float32' ? Math.fround(b) : b;
  }

  #operand(op: string, b: Tensor | number): Tensor {
    if (typeof b !== 'number') return b;
    if (this.dtype === 'int32' && (b | 0) !== b) {
      throw new DTypeError({
        op,
        argument: 'b',
        got: { x: this },
        rule: `${b} is no int32`,
        hint: "nothing is converted silently; cast with .to('float32').",
      });
    }
    return new Tensor(this.backend, this.backend.fill([], b, this.dtype));
  }

  neg(): Tensor {
    return apply('neg', [this], {});
  }

  exp(): Tensor {
    return apply('exp', [this], {});
  }

  log(): Tensor {
    return apply('log', [this], {});
  }

  sqrt(): Tensor {
    return apply('sqrt', [this], {});
  }

  abs(): Tensor {
    return apply('abs', [this], {});
  }

  sin(): Tensor {
    return apply('sin', [this], {});
  }

  cos(): Tensor {
    return apply('cos', [this], {});
  }

  tanh(): Tensor {
    return apply('tanh', [this], {});
  }

  erf(): Tensor {
    return apply('erf', [this], {});
  }

  relu(): Tensor {
    return apply('relu', [this], {});
  }

  sigmoid(): Tensor {
    return apply('sigmoid', [this], {});
  }

  silu(): Tensor {
    return apply('silu', [this], {});
  }

  gelu(): Tensor {
    return apply('gelu', [this], {});
  }

  /** [..., M, K] · [..., K, N] → [..., M, N] */
  matmul(b: Tensor): Tensor {
    return apply('matmul', [this, b], {});
  }

  /** Softmax over the last axis; `causal` is the Tril mask over the last two. */
  softmax(options: { readonly causal?: boolean } = {}): Tensor {
    return apply('softmax', [this], { causal: options.causal ?? false });
  }

  /** x − ln Σ eˣ along an axis: the logarithm of softmax, also where that is 0 in floating point. */
  logSoftmax(axis = -1): Tensor {
    const a = normalizeAxis('logSoftmax', this, axis);
    requireDType('logSoftmax', 'x', this.view);
    // Of the largest element no gradient is needed: the result does not depend on what is subtracted.
    const shifted = this.sub(this.max(a, true).detach());
    return shifted.sub(shifted.exp().sum(a, true).log());
  }

  /** Rows of axis 0 in the order of an int32 index [N]. */
  gatherRows(index: Tensor): Tensor {
    return apply('gatherRows', [this, index], {});
  }

  /**
   * Another dtype: floats to int32 truncate, anything to bool is x ≠ 0.
   * @throws DTypeError for what is no dtype, RangeError where an int32 is to hold NaN or what is beyond its range (on a device
   * that answers later, when the result is read)
   */
  to(dtype: DType): Tensor {
    return dtype === this.dtype ? this : apply('cast', [this], { dtype });
  }

  // ---- shapes ---------------------------------------------------------------------------------------------------

  /** The same elements in another shape; one size may be −1, and is then what is left. */
  reshape(...shape: readonly number[]): Tensor {
    return apply('reshape', [this], { shape: filledShape(this.size, shape) });
  }

  /** Axes in another order. */
  permute(...axes: readonly number[]): Tensor {
    return apply('permute', [this], { axes: axes.map((a) => normalizeAxis('permute', this, a)) });
  }

  /** Two axes swapped, by default the last two. */
  transpose(a = -2, b = -1): Tensor {
    const axes = this.shape.map((_, axis) => axis);
    const [i, j] = [normalizeAxis('transpose', this, a, 'a'), normalizeAxis('transpose', this, b, 'b')];
    [axes[i], axes[j]] = [axes[j], axes[i]];
    return apply('permute', [this], { axes });
  }

  /** Broadcast without a copy; −1 keeps the size of an axis. @throws ShapeError where −1 stands for a new axis */
  expand(...shape: readonly number[]): Tensor {
    return apply('expand', [this], { shape: expandedShape(this, shape) });
  }

  /** Elements start…end − 1 of one axis, without a copy; negative positions count from the end. */
  slice(axis: number, start: number, end?: number): Tensor {
    const a = normalizeAxis('slice', this, axis);
    const size = this.shape[a];
    const from = start < 0 ? start + size : start;
    const to = end === undefined ? size : end < 0 ? end + size : end;
    return apply('slice', [this], { axis: a, start: from, length: to - from, step: 1 });
  }

  /** A new axis of size 1. */
  unsqueeze(axis: number): Tensor {
    return apply('reshape', [this], { shape: unsqueezedShape(this, axis) });
  }

  /** Without axes of size 1: without all of them, or without one, which stays where its size is another. */
  squeeze(axis?: number): Tensor {
    const given = axis === undefined ? null : normalizeAxis('squeeze', this, axis);
    return this.reshape(...this.shape.filter((n, a) => n !== 1 || (given !== null && a !== given)));
  }

  /** Axes `start` to `end` as one. */
  flatten(start = 0, end = -1): Tensor {
    return apply('reshape', [this], { shape: flattenedShape(this, start, end) });
  }

  /**
   * Parts along an axis, without copies: of `sizes` elements each (the last one of what is left), or of these sizes.
   * @throws ShapeError where a size is no whole number, or they do not add up to the axis
   */
  split(sizes: number | readonly number[], axis = 0): Tensor[] {
    const a = normalizeAxis('split', this, axis);
    let end = 0;
    return partLengths(this, a, sizes).map((length) => {
      end += length;
      return apply('slice', [this], { axis: a, start: end - length, length, step: 1 });
    });
  }

  /** At most `count` parts along an axis, of ⌈size/count⌉ elements each and the last one of what is left. */
  chunk(count: number, axis = 0): Tensor[] {
    const a = normalizeAxis('chunk', this, axis);
    if (!Number.isInteger(count) || count < 1) {
      const rule = `needs a whole number of chunks, at least 1, not ${count}`;
      throw new ShapeError({ op: 'chunk', argument: 'count', got: { x: this }, rule });
    }
    return this.shape[a] === 0
      ? Array.from({ length: count }, () => this.slice(a, 0, 0))
      : this.split(Math.ceil(this.shape[a] / count), a);
  }

  // ---- reductions -----------------------------------------------------------------------------------------------

  /** Sum over one axis, over several, or over all; they are dropped unless `keepDim`. */
  sum(axis?: Axes, keepDim = false): Tensor {
    const axes = normalizeAxes('sum', this, axis);
    return apply('sum', [this], { axes }).#dropped(axes, keepDim);
  }

  /** Mean over one axis, over several, or over all. @throws DTypeError for integers */
  mean(axis?: Axes, keepDim = false): Tensor {
    requireDType('mean', 'x', this.view);
    const axes = normalizeAxes('mean', this, axis);
    const total = apply('sum', [this], { axes }).#dropped(axes, keepDim);
    // Divided, not multiplied by 1/n, which is rounded: the mean of n ones is 1.
    return total.div(this.size / total.size);
  }

  /** Largest element over one axis, over several, or over all. Equal ones share the gradient evenly. */
  max(axis?: Axes, keepDim = false): Tensor {
    const axes = normalizeAxes('max', this, axis);
    if (axes.length === 1) return apply('max', [this], { axis: axes[0] }).#dropped(axes, keepDim);
    // Several axes become one, since shares of shares would not be even.
    const rest = this.shape.map((_, a) => a).filter((a) => !axes.includes(a));
    const reduced = axes.map((a) => this.shape[a]);
    const merged = this.permute(...rest, ...axes).reshape(...rest.map((a) => this.shape[a]), sizeOf(reduced));
    const largest = apply('max', [merged], { axis: rest.length });
    return largest.reshape(
      ...(keepDim ? this.shape.map((n, a) => (axes.includes(a) ? 1 : n)) : rest.map((a) => this.shape[a])),
    );
  }

  /**
   * Variance over one axis, over several, or over all: Σ(x − mean)²/(n − correction), in two passes. NaN where n is not more than
   * the correction: 1 for a sample, 0 for all there is.
   */
  var(axis?: Axes, { correction = 1, keepDim = false }: VarianceOptions = {}): Tensor {
    requireDType('var', 'x', this.view);
    normalizeAxes('var', this, axis);
    const centred = this.sub(this.mean(axis, true));
    const total = centred.mul(centred).sum(axis, keepDim);
    return total.div(Math.max(0, this.size / total.size - correction));
  }

  /** Standard deviation: the root of `var`, with slope 0 where that is 0. */
  std(axis?: Axes, options: VarianceOptions = {}): Tensor {
    requireDType('std', 'x', this.view);
    normalizeAxes('std', this, axis);
    return this.var(axis, options).#whereNotZero((variance) => variance.sqrt());
  }

  /**
   * (Σ|x|ᵖ)^(1/p) over one axis, over several, or over all; p = ∞ is the largest |x|. The slope at 0 is 0.
   * @throws RangeError where p < 1
   */
  norm(p = 2, axis?: Axes, keepDim = false): Tensor {
    requireDType('norm', 'x', this.view);
    normalizeAxes('norm', this, axis);
    if (!(p >= 1)) throw new RangeError(`norm(x): p: needs 1 ≤ p ≤ ∞, got ${p}`);
    if (p === 1) return this.abs().sum(axis, keepDim);
    if (p === 2)
      return this.mul(this)
        .sum(axis, keepDim)
        .#whereNotZero((sum) => sum.sqrt());
    if (p !== Number.POSITIVE_INFINITY) {
      const sum = this.abs().pow(p).sum(axis, keepDim);
      return sum.#whereNotZero((s) => s.pow(1 / p));
    }
    return this.abs().max(axis, keepDim);
  }

  /** f(x) where x is not 0; 0 with slope 0 where it is, as PyTorch has it for roots that are infinitely steep there. */
  #whereNotZero(f: (x: Tensor) => Tensor): Tensor {
    const zero = this.eq(0);
    const [none, one] = [0, 1].map((value) => this.#operand('where', value));
    return apply('where', [zero, none, f(apply('where', [zero, one, this], {}))], {});
  }

  /** Index (int32) of the first largest element of one axis; has no gradient. */
  argmax(axis: number): Tensor {
    const a = normalizeAxis('argmax', this, axis);
    if (this.shape[a] === 0) {
      const rule = 'an empty axis has no maximum';
      throw new ShapeError({ op: 'argmax', argument: 'axis', axis: a, got: { x: this }, rule });
    }
    return new Tensor(this.backend, this.backend.argmax(this.view, a));
  }

  #dropped(axes: readonly number[], keepDim: boolean): Tensor {
    if (keepDim) return this;
    return apply('reshape', [this], { shape: this.shape.filter((_, a) => !axes.includes(a)) });
  }

  // ---- comparisons (bool, no gradient) --------------------------------------------------------------------------

  eq(b: Tensor | number): Tensor {
    return this.#compare('eq', b);
  }

  ne(b: Tensor | number): Tensor {
    return this.#compare('ne', b);
  }

  lt(b: Tensor | number): Tensor {
    return this.#compare('lt', b);
  }

  le(b: Tensor | number): Tensor {
    return this.#compare('le', b);
  }

  gt(b: Tensor | number): Tensor {
    return this.#compare('gt', b);
  }

  ge(b: Tensor | number): Tensor {
    return this.#compare('ge', b);
  }

  /** Whether any element over axes, or of all, is not 0. */
  any(axis?: Axes, keepDim = false): Tensor {
    normalizeAxes('any', this, axis);
    return this.to('bool').to('float32').sum(axis, keepDim).gt(0);
  }

  /** Whether all elements over axes, or all there are, are not 0. */
  all(axis?: Axes, keepDim = false): Tensor {
    normalizeAxes('all', this, axis);
    return this.eq(0).any(axis, keepDim).eq(0);
  }

  #compare(name: CompareName, b: Tensor | number): Tensor {
    const other = this.#operand(name, this.#held(b));
    requireSameDType(name, { a: this.view, b: other.view });
    const shape = broadcastOrThrow(name, this.view, other.view);
    return new Tensor(
      this.backend,
      this.backend.compare(name, expandView(this.view, shape), expandView(other.view, shape)),
    );
  }
}

/** Runs a primitive by name. @throws Error where tensors of different backends meet */
export function apply<N extends OpName>(name: N, inputs: readonly Tensor[], attrs: OpAttrs[N]): Tensor {
  return applyOp(ops[name] as Op<OpAttrs[N]>, inputs, attrs);
}

/** Runs an op that is perhaps none of the primitives. @throws Error where tensors of different backends meet */
export function applyOp<Attrs>(op: Op<Attrs>, inputs: readonly Tensor[], attrs: Attrs): Tensor {
  const { backend } = inputs[0];
  const stranger = inputs.find((x) => x.backend !== backend);
  if (stranger !== undefined) {
    throw new Error(
      `${op.name}: tensors of two backends meet, ${backend.name} and ${stranger.backend.name}; set the backend before making or loading tensors`,
    );
  }
  const { view, node } = run(backend, op, inputs, attrs);
  return new Tensor(backend, view, node);
}
