/**
 * The interface between tensors and the code that loops over numbers.
 *
 * A backend owns memory and some thirty kernels. Tensors hand it *views* (a buffer with shape, strides and
 * offset, all counted in elements, the model of the `ndarray` package) and get views of fresh, contiguous,
 * row-major buffers back. A buffer is an opaque handle: only the backend that made it looks inside, so the same
 * model runs where data lies in typed arrays, in WebAssembly memory or on a GPU.
 *
 * Contract of every kernel
 * - Inputs may have any strides, zero (broadcast) included; a kernel that wants dense data makes it itself.
 * - Shapes and dtypes were checked by the op that calls; a kernel does not check again.
 * - Inputs are never written, except by the kernels under "in place".
 * - Results are computed in the dtype of the inputs; float64 must be float64 throughout.
 * - Zero-size axes are legal everywhere.
 * - The gradient of a kernel is the kernel …Backward; dy, the gradient from above, is its last tensor.
 *
 * Letters: M, N, K matrix sizes; R rows (all axes but the last, flattened); D width of the last axis; V vocabulary;
 * B batch, H heads, T sequence.
 */

export type DType = 'float32' | 'float64' | 'int32' | 'bool';

/** Host memory of each dtype; bool is one byte, 0 or 1. */
export interface HostArrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  bool: Uint8Array;
}
export type HostArray = HostArrays[DType];

/** Memory of one backend; what is in it is that backend's affair. */
export interface BufferHandle {
  readonly dtype: DType;
  /** Number of elements. */
  readonly length: number;
  /**
   * Notes of the owner of tensors, who holds it and how often it was written in place; no backend looks at them. They stand
   * here, since a look into a map of all buffers takes as long as a small op.
   */
  life?: number;
  version?: number;
}

/** Who gave a buffer's memory back, for the message of its next use. */
export type ReleasedBy = 'dispose' | 'scope' | 'module' | 'backward';

/** What is asked of a set of buffers. */
export type BufferSet = Pick<ReadonlySet<BufferHandle>, 'has'>;

/** Elements of a buffer seen as an n-dimensional array: element i…j lies at offset + Σ index·stride. */
export interface View {
  readonly buffer: BufferHandle;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Elementwise functions of one variable that have a derivative. */
export type UnaryName =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'abs'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'erf'
  | 'sigmoid'
  | 'relu'
  | 'silu'
  | 'gelu';

/** Elementwise functions of two variables of one dtype; both views already have the result's shape. */
export type BinaryName = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum';

/** Comparisons: two views of one dtype and shape, a bool result. */
export type CompareName = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

export interface SoftmaxOptions {
  /**
   * Tril of the paper's eq. (1): in x [..., M, N] row i sees column j only if j ≤ i + (N − M); the rest counts as −∞.
   * With M < N the rows are the last M of N positions (cached generation).
   */
  readonly causal: boolean;
}

export interface AttentionOptions {
  /** Tril, as in SoftmaxOptions: query i of T sees key j of S only if j ≤ i + (S − T). */
  readonly causal: boolean;
}

export interface AdamWOptions {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** Number of this step, from 1: the bias corrections are 1 − βᵗ. */
  readonly step: number;
}

/** What computes: about thirty kernels on opaque buffers. Every result is a fresh, contiguous buffer. */
export interface Backend {
  readonly name: string;
  /** Dtypes it computes in; tensors of another dtype are refused with a clear error. */
  readonly dtypes: readonly DType[];
  /** One sentence for people: what it runs on and why ("gpujs on webasm: no GPU found"). */
  describe(): string;

  // ---- memory -------------------------------------------------------------------------------------------------
  /** Copies host data into a buffer of the array's dtype (Uint8Array is bool). */
  upload(data: HostArray): BufferHandle;
  /** The elements of a view in row-major order, copied to host memory. */
  read(x: View): Promise<HostArray>;
  /** The same without waiting; throws an Error that says to `await tensor.read()` where the device cannot. */
  readSync(x: View): HostArray;
  /** Gives memory back now. Using the buffer afterwards is a mistake of the caller. Idempotent. */
  release(buffer: BufferHandle, by?: ReleasedBy): void;
  /**
   * Nobody is known to need the buffer, but somebody may hold it: its numbers move to where JavaScript's garbage collector
   * looks after them, and its memory is free. It can be used as before, which brings it back. Nothing happens to a buffer
   * that a scope will release.
   */
  park(buffer: BufferHandle): void;
  /** Bytes and number of buffers alive; parked ones are not among them. */
  memory(): { readonly bytes: number; readonly buffers: number };
  /** Begins to note the buffers made from here on. Scopes nest. */
  openScope(): void;
  /** Releases what was made since the matching openScope, except `keep`, which passes to the scope around it. */
  closeScope(keep: BufferSet, by?: ReleasedBy): void;

  // ---- making and moving --------------------------------------------------------------------------------------
  fill(shape: readonly number[], value: number, dtype: DType): View;
  /** A contiguous copy; always a fresh buffer. */
  copy(x: View): View;
  /**
   * float → int32 truncates toward zero, and throws a RangeError where a number is NaN or beyond int32; anything → bool is
   * x ≠ 0; the same dtype copies.
   */
  cast(x: View, dtype: DType): View;
  /** Joins along `axis`; the other axes are equal. At least one part. */
  concat(parts: readonly View[], axis: number): View;
  /** Rows of x [R, ...] in the order of index [N] (int32) → [N, ...]. Throws a RangeError where not 0 ≤ i < R. */
  gatherRows(x: View, index: View): View;
  /** Zeros [rows, ...] to which row n of x [N, ...] is added at index[n]; repeated indices add up in order. */
  scatterAddRows(x: View, index: View, rows: number): View;

  // ---- elementwise --------------------------------------------------------------------------------------------
  unary(name: UnaryName, x: View): View;
  /** dy · f′(x), given x and y = f(x). */
  unaryBackward(name: UnaryName, x: View, y: View, dy: View): View;
  binary(name: BinaryName, a: View, b: View): View;
  compare(name: CompareName, a: View, b: View): View;
  /** condition ? a : b; all three of one shape, condition bool. */
  where(condition: View, a: View, b: View): View;

  // ---- reductions ---------------------------------------------------------------------------------------------
  /** Sum over the given axes (sorted, distinct), which stay with size 1. Empty sums are 0. */
  sum(x: View, axes: readonly number[]): View;
  /** Maximum over one axis, which stays with size 1. */
  max(x: View, axis: number): View;
  /** Index of the first maximum over one axis, int32; the axis is dropped. */
  argmax(x: View, axis: number): View;

  // ---- linear algebra -----------------------------------------------------------------------------------------
  /**
   * a [..., M, K] · b [..., K, N] → [..., M, N]; the leading axes are equal (broadcasts have stride 0).
   * A transposed operand is a view with swapped strides and must cost no copy.
   */
  matmul(a: View, b: View): View;

  // ---- fused rows ---------------------------------------------------------------------------------------------
  /** Softmax over the last axis of x [..., M, N] (causal) or [..., N]. A row that sees nothing gives zeros. */
  softmax(x: View, options: SoftmaxOptions): View;
  /** dx = y ⊙ (dy − Σ dy ⊙ y). What the causal mask hid has y = 0, so it needs no mask. */
  softmaxBackward(y: View, dy: View): View;
  /** x [R, V], targets [R] int32 → per row logΣexp(x) and the loss logΣexp(x) − x[target]; ignored rows have loss 0. */
  crossEntropy(x: View, targets: View, ignoreIndex: number): { loss: View; logSumExp: View };
  /** dx[r] = dloss[r] · (softmax(x[r]) − onehot(target)); ignored rows give 0. */
  crossEntropyBackward(x: View, targets: View, ignoreIndex: number, logSumExp: View, dloss: View): View;
  /** y = (x − mean)·rstd·weight + bias over the last axis, biased variance, rstd = 1/√(var + eps); mean, rstd [..., 1]. */
  layerNorm(x: View, weight: View, bias: View, eps: number): { y: View; mean: View; rstd: View };
  layerNormBackward(
    x: View,
    weight: View,
    mean: View,
    rstd: View,
    dy: View,
  ): { dx: View; dweight: View; dbias: View };
  /** y = weight · (x · rstd), rstd = 1/√(mean(x²) + eps) over the last axis; rstd [..., 1]. */
  rmsNorm(x: View, weight: View, eps: number): { y: View; rstd: View };
  rmsNormBackward(x: View, weight: View, rstd: View, dy: View): { dx: View; dweight: View };
  /**
   * Rotary embedding, half-split: x [B, H, T, K] = [x₀ | x₁], cos and sin [B, T, K/2] →
   * [x₀ cos − x₁ sin | x₀ sin + x₁ cos]. `inverse` turns the other way (sin → −sin): also the gradient.
   */
  rotary(x: View, cos: View, sin: View, inverse: boolean): View;
  /**
   * softmax(Tril(q·kᵀ)/√K)·v, the paper's eq. (1): q [B, H, T, K], k and v [B, H_kv, S, K] → [B, H, T, K]. Query head
   * h uses key head ⌊h·H_kv/H⌋. Keys where `visible` [B, S] (bool) is 0 count as −∞; null shows all. A query that sees
   * nothing gives zeros. `saved` is what the backward kernel wants back, if anything.
   */
  attention(
    q: View,
    k: View,
    v: View,
    visible: View | null,
    options: AttentionOptions,
  ): { y: View; saved: readonly View[] };
  attentionBackward(
    q: View,
    k: View,
    v: View,
    visible: View | null,
    options: AttentionOptions,
    saved: readonly View[],
    dy: View,
  ): { dq: View; dk: View; dv: View };
  /** silu(gate) ⊙ up. */
  swiglu(gate: View, up: View): View;
  swigluBackward(gate: View, up: View, dy: View): { dgate: View; dup: View };

  // ---- in place -----------------------------------------------------------------------------------------------
  /** Writes src into the elements of dst, a view of one shape and dtype. */
  assign(dst: View, src: View): void;
  /**
   * Decoupled weight decay (AdamW), one pass over contiguous views of one length:
   * p −= lr·wd·p;  m = β₁m + (1−β₁)g;  v = β₂v + (1−β₂)g²;  p −= lr · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + eps).
   */
  adamw(param: View, grad: View, m: View, v: View, options: AdamWOptions): void;
}
