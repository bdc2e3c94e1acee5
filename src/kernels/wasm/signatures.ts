/**
 * What assembly/index.ts exports, which tsc does not see: the meaning of the parameters is told there. Addresses and
 * strides are in bytes, lengths in elements.
 */
export interface Kernels {
  // ---- assembly/attention.ts ----
  attention(
    T: number,
    S: number,
    K: number,
    from: number,
    to: number,
    q: number,
    qT: number,
    qK: number,
    k: number,
    kS: number,
    kK: number,
    v: number,
    vS: number,
    vK: number,
    visible: number,
    causal: number,
    scale: number,
    y: number,
    work: number,
    share: number,
  ): void;
  attentionBackward(
    heads: number,
    T: number,
    S: number,
    K: number,
    q: number,
    qH: number,
    qT: number,
    qK: number,
    k: number,
    kS: number,
    kK: number,
    v: number,
    vS: number,
    vK: number,
    visible: number,
    causal: number,
    scale: number,
    dy: number,
    dyH: number,
    dyT: number,
    dyK: number,
    dq: number,
    dk: number,
    dv: number,
    work: number,
    share: number,
  ): void;
  attentionBackwardShare(S: number, K: number): number;
  attentionShare(S: number, K: number): number;
  // ---- assembly/compare.ts ----
  cast(f: number, n: number, x: number, y: number): void;
  compare(f: number, n: number, a: number, b: number, bStep: number, out: number): void;
  where(n: number, condition: number, a: number, b: number, out: number): void;
  // ---- assembly/elementwise.ts ----
  adamw(
    n: number,
    p: number,
    g: number,
    m: number,
    v: number,
    beta1: number,
    beta2: number,
    keep: number,
    rate: number,
    root2: number,
    eps: number,
  ): void;
  binary(
    f: number,
    n0: number,
    n1: number,
    n2: number,
    n3: number,
    a: number,
    a0: number,
    a1: number,
    a2: number,
    a3: number,
    b: number,
    b0: number,
    b1: number,
    b2: number,
    b3: number,
    out: number,
  ): void;
  swiglu(n: number, gate: number, up: number, y: number): void;
  swigluBackward(n: number, gate: number, up: number, dy: number, dgate: number, dup: number): void;
  unary(f: number, n: number, x: number, y: number): void;
  unaryBackward(f: number, n: number, x: number, y: number, dy: number, dx: number): void;
  // ---- assembly/gemm.ts ----
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    c: number,
    cRow: number,
    add: number,
  ): void;
  gemmShallow(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
  ): void;
  // ---- assembly/gemv.ts ----
  gemvColumns(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
  ): void;
  gemvRows(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    w: number,
    wRow: number,
    c: number,
    cRow: number,
  ): void;
  // ---- assembly/maximum.ts ----
  argmaxRows(rows: number, n: number, x: number, y: number): void;
  maxColumns(rows: number, n: number, x: number, row: number, y: number): void;
  maxRows(rows: number, n: number, x: number, y: number): void;
  // ---- assembly/move.ts ----
  copy(
    n0: number,
    n1: number,
    n2: number,
    n3: number,
    from: number,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
    to: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
  ): void;
  gatherRows(count: number, n: number, x: number, row: number, index: number, out: number): void;
  rotary(
    B: number,
    H: number,
    T: number,
    half: number,
    x: number,
    xB: number,
    xH: number,
    xT: number,
    cos: number,
    cB: number,
    cT: number,
    sin: number,
    sB: number,
    sT: number,
    sign: number,
    y: number,
  ): void;
  scatterAddRows(count: number, n: number, row: number, x: number, index: number, out: number): void;
  // ---- assembly/norm.ts ----
  layerNorm(
    rows: number,
    n: number,
    x: number,
    weight: number,
    bias: number,
    eps: number,
    y: number,
    mean: number,
    rstd: number,
  ): void;
  normBackward(
    rows: number,
    n: number,
    x: number,
    weight: number,
    mean: number,
    rstd: number,
    dy: number,
    dx: number,
    work: number,
  ): void;
  rmsNorm(rows: number, n: number, x: number, weight: number, eps: number, y: number, rstd: number): void;
  // ---- assembly/reduce.ts ----
  addPartials(count: number, n: number, from: number, row: number, y: number): void;
  sumColumns(rows: number, n: number, x: number, row: number, y: number): void;
  sumRows(rows: number, n: number, x: number, y: number): void;
  sumStretches(from: number, to: number, n: number, x: number, sums: number): void;
  // ---- assembly/softmax.ts ----
  crossEntropy(
    rows: number,
    n: number,
    x: number,
    targets: number,
    ignore: number,
    loss: number,
    logSumExp: number,
  ): void;
  crossEntropyBackward(
    rows: number,
    n: number,
    x: number,
    targets: number,
    ignore: number,
    logSumExp: number,
    dloss: number,
    dx: number,
  ): void;
  softmax(rows: number, n: number, x: number, y: number, period: number, ahead: number): void;
  softmaxBackward(rows: number, n: number, y: number, dy: number, dx: number): void;
  // ---- assembly/thread.ts ----
  enter(number: number, at: number): void;
  readonly STATIC_END: WebAssembly.Global;
  readonly WORK_BYTES: WebAssembly.Global;
}

/** What can be handed to a thread. */
export type KernelName = {
  [K in keyof Kernels]: Kernels[K] extends (...args: number[]) => void ? K : never;
}[keyof Kernels];
