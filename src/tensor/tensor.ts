/**
 * The tensor: a view of a backend's buffer, and its place on the tape. Eager: an op computes when it is called.
 * The class holds no mathematics; that is in `ops/` and the kernels.
 */
import ndarray, { type NdArray } from 'ndarray';
import type { Backend, CompareName, DType, HostArray, View } from '../kernels/backend.ts';
import { denseStrides, denseView, expandView, sizeOf } from '../kernels/views.ts';
import { run } from './apply.ts';
import { getBackend, keepBuffer, releaseBuffer } from './context.ts';
import { DTypeError, formatType, ShapeError } from './errors.ts';
import { flattened, hostArray, type Nested, ndarrayNumbers } from './hostNumbers.ts';
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
import { backward, type TapeNode, type Traced } from './tape.ts';

export interface TensorOptions {
  /** Default float32. */
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/** One axis, or several; negative ones count from the end. */
export type Axes = number | readonly number[];

export class Tensor implements Traced {
  readonly backend: Backend;
  readonly view: View;
  readonly node: TapeNode | null;
  requiresGrad: boolean;
  /** Gradient of a leaf, after `backward()`. */
  grad: Tensor | null = null;

  constructor(backend: Backend, view: View, node: TapeNode | null = null, requiresGrad = node !== null) {
    this.backend = backend;
    this.view = view;
    this.node = node;
    this.requiresGrad = requiresGrad;
  }

  // ---- making ---------------------------------------------------------------------------------------------------

  /** From nested arrays. @throws ShapeError where they are ragged */
  static from(values: Nested, options: TensorOptions = {}): Tensor {
    const { flat, shape } = flattened(values);
    return Tensor.fromArray(flat, shape, options);
  }

  /** From numbers in row-major order. @throws ShapeError where their count is not that of the shape */
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

  // ---- looking --------------------------------------------------------------------------------------------------

  get shape(): readonly number[] {
    return this.view.shape;
  }

  get dtype(): DType {
    return this.view.buffer.dtype;
  }

  get rank(): number {
    return this.view.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.view.shape);
  }

  /** The elements in row-major order, copied now. Throws on a device that cannot wait: use `await read()` there. */
  get data(): HostArray {
    return this.backend.readSync(this.view);
  }

  /** The elements in row-major order, on any backend. */
  read(): Promise<HostArray> {
    return this.backend.read(this.view);
  }

  /** The only element. @throws ShapeError where there are more or fewer */
  item(): number {
    if (this.size === 1) return this.data[0];
    throw new ShapeError({ op: 'item', argument: 'x', got: { x: this }, rule: 'needs exactly one element' });
  }

  /** A copy as an ndarray, for the packages that speak it. */
  toNdarray(): NdArray {
    return ndarray(this.data, [...this.shape], denseStrides(this.shape), 0);
  }

  /** Type only: printing never waits for a device. */
  toString(): string {
    return `Tensor ${formatType(this)} on ${this.backend.name}${this.requiresGrad ? ', requires grad' : ''}`;
  }

  // ---- gradients and memory -------------------------------------------------------------------------------------

  /** Adds this tensor's gradients to `.grad` of every leaf behind it; `seed` (default 1) is the gradient it starts from. */
  backward(seed?: Tensor): void {
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
    backward(this.backend, this, seed?.view ?? this.backend.fill(this.shape, 1, this.dtype));
  }

  accumulate(gradient: View): void {
    const before = this.grad;
    // The first gradient may share its buffer with a tensor or with another leaf's gradient: it gets its own.
    const sum =
      before === null ? this.backend.copy(gradient) : this.backend.binary('add', before.view, gradient);
    keepBuffer(sum.buffer);
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
    this.backend.assign(this.view, expandView(source.view, this.shape));
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

  /** Rows of axis 0 in the order of an int32 index [N]. */
  gatherRows(index: Tensor): Tensor {
    return apply('gatherRows', [this, index], {});
  }

  /** Another dtype: floats to int32 truncate, anything to bool is x ≠ 0. */
  to(dtype: DType): Tensor {
    return dtype === this.dtype ? this : apply('cast', [this], { dtype });
  }

  // ---- shapes ---------------------------------------------------------------------------------------------------

  /** The same elements in another shape; one size may be −1, and is then what is left. */
  reshape(...shape: readonly number[]): Tensor {
    const known = shape.reduce((n, size) => (size === -1 ? n : n * size), 1);
    const open = shape.filter((size) => size === -1).length;
    const left = this.size / known;
    const resolved = open === 1 && Number.isInteger(left) ? shape.map((n) => (n === -1 ? left : n)) : shape;
    return apply('reshape', [this], { shape: resolved });
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
    const lead = shape.length - this.rank;
    const fresh = shape.slice(0, Math.max(lead, 0)).indexOf(-1);
    if (fresh >= 0) {
      const rule = `-1 keeps an axis, and axis ${fresh} of [${shape.join(',')}] is new`;
      const hint = 'give a new leading axis its size.';
      throw new ShapeError({ op: 'expand', argument: 'shape', got: { x: this }, rule, hint });
    }
    const kept = shape.map((size, axis) => (size === -1 ? this.shape[axis - lead] : size));
    return apply('expand', [this], { shape: kept });
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
    const places = this.rank + 1;
    if (!Number.isInteger(axis) || axis < -places || axis >= places) {
      const rule = `a new axis cannot stand at ${axis}`;
      const hint = `use ${-places}…${places - 1}.`;
      throw new ShapeError({ op: 'unsqueeze', argument: 'axis', got: { x: this }, rule, hint });
    }
    const a = axis < 0 ? axis + places : axis;
    return apply('reshape', [this], { shape: [...this.shape.slice(0, a), 1, ...this.shape.slice(a)] });
  }

  // ---- reductions -----------------------------------------------------------------------------------------------

  /** Sum over one axis, over several, or over all; they are dropped unless `keepDim`. */
  sum(axis?: Axes, keepDim = false): Tensor {
    const axes = this.#axes('sum', axis);
    return apply('sum', [this], { axes }).#dropped(axes, keepDim);
  }

  /** Mean over one axis, over several, or over all. @throws DTypeError for integers */
  mean(axis?: Axes, keepDim = false): Tensor {
    requireDType('mean', 'x', this.view);
    const axes = this.#axes('mean', axis);
    const total = apply('sum', [this], { axes }).#dropped(axes, keepDim);
    // Divided, not multiplied by 1/n, which is rounded: the mean of n ones is 1.
    return total.div(this.size / total.size);
  }

  /** Largest element over one axis, over several, or over all. Equal ones share the gradient evenly. */
  max(axis?: Axes, keepDim = false): Tensor {
    const axes = this.#axes('max', axis);
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

  /** Index (int32) of the first largest element of one axis; has no gradient. */
  argmax(axis: number): Tensor {
    const a = normalizeAxis('argmax', this, axis);
    if (this.shape[a] === 0) {
      const rule = 'an empty axis has no maximum';
      throw new ShapeError({ op: 'argmax', argument: 'axis', axis: a, got: { x: this }, rule });
    }
    return new Tensor(this.backend, this.backend.argmax(this.view, a));
  }

  /** Axes to reduce over, from the front and in rising order. */
  #axes(op: string, axis: Axes | undefined): readonly number[] {
    if (axis === undefined) return this.shape.map((_, a) => a);
    if (typeof axis === 'number') return [normalizeAxis(op, this, axis)];
    const axes = axis.map((a) => normalizeAxis(op, this, a)).sort((a, b) => a - b);
    const twice = axes.find((a, i) => a === axes[i - 1]);
    if (axes.length > 0 && twice === undefined) return axes;
    const rule =
      twice === undefined
        ? 'the list of axes is empty'
        : `axis ${twice} is there twice in [${axis.join(',')}]`;
    const hint = twice === undefined ? 'leave it out to reduce over all.' : undefined;
    throw new ShapeError({ op, argument: 'axis', got: { x: this }, rule, ...(hint && { hint }) });
  }

  #dropped(axes: readonly number[], keepDim: boolean): Tensor {
    if (keepDim) return this;
    return apply('reshape', [this], { shape: this.shape.filter((_, a) => !axes.includes(a)) });
  }

  // ---- comparisons (bool, no gradient) --------------------------------------------------------------------------

  eq(b: Tensor | number): Tensor {
    return this.#compare('eq', b);
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

  #compare(name: CompareName, b: Tensor | number): Tensor {
    // A float32 tensor holds the nearest float32, and so must the number it is compared with.
    const other = this.#operand(name, typeof b === 'number' && this.dtype === 'float32' ? Math.fround(b) : b);
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
  const { backend } = inputs[0];
  const stranger = inputs.find((x) => x.backend !== backend);
  if (stranger !== undefined) {
    throw new Error(
      `${name}: tensors of two backends meet, ${backend.name} and ${stranger.backend.name}; set the backend before making or loading tensors`,
    );
  }
  const { view, node } = run(backend, ops[name] as Op<OpAttrs[N]>, inputs, attrs);
  return new Tensor(backend, view, node);
}
