/**
 * Mutants that no test can tell from the source, and why. They are counted apart and take no part in the score; an entry that
 * fits no mutant any more is an error, and `npm run mutate -- --equivalents` runs them to see that they pass.
 */
import { type Mutant, plain } from './kinds.ts';

export interface Equivalent {
  /** Path in the project. */
  readonly file: string;
  /** Nodes around the place where `from` alone says too little: their text, or how it begins and "…". */
  readonly within?: readonly string[];
  readonly from: string;
  readonly to: readonly string[];
  readonly why: string;
}

const TENSOR = 'src/tensor/';
const CPU = 'src/kernels/cpu/';

const LINES =
  'writes the next line too early, which is then written again, or behind the end, which is ignored';
const UNREACHABLE = 'check has refused such shapes';
const SYMMETRIC = 'the order does not matter';
const COPIES = 'saves a copy, or memory until the end of the pass';
const ROWS_OF_ONE = 'saves products of a batch: the numbers are the same';
const INTEGERS = 'the tape asks no integer for a gradient, and gives none to one';
const SHIFTS = 'softmax is the same whatever is added to all scores';

/** Several mutants of one file that share the reason. */
const same = (
  file: string,
  why: string,
  ...places: readonly (readonly [from: string, to: readonly string[], ...within: readonly string[]])[]
): Equivalent[] => places.map(([from, to, ...within]) => ({ file, why, from, to, within }));

export const EQUIVALENTS: readonly Equivalent[] = [
  ...same(
    `${TENSOR}op.ts`,
    'a sum over no axis, or over one of size 1, is a copy; behind the last axis both sizes are undefined',
    ['a < g.shape.length', ['a <= g.shape.length']],
    ['shape[a - lead] === 1 && g.shape[a] !== 1', ['shape[a - lead] === 1']],
    ['axes.length === 0', ['false']],
  ),
  ...same(
    `${TENSOR}tape.ts`,
    'numbers of nodes are only compared',
    ['0', ['1'], 'nextId = 0'],
    ['b.id - a.id', ['2 * (b.id - a.id)']],
  ),
  ...same(
    `${TENSOR}functions/joining.ts`,
    'the first has its own shape',
    ['odd >= 0', ['odd > 0']],
    ['0', ['1'], 'odd >= 0'],
  ),
  ...same(`${TENSOR}functions/logic.ts`, SYMMETRIC, [
    "where(a.to('bool'), b.to('bool'), constant(0))",
    ["where(b.to('bool'), a.to('bool'), constant(0))"],
  ]),
  ...same(`${TENSOR}functions/logic.ts`, 'whatever is not 0 is true', [
    '1',
    ['2'],
    "where(a.to('bool'), constant(1), b.to('bool'))",
  ]),
  ...same(
    `${TENSOR}functions/scan.ts`,
    'adds nothing to nothing; places below 0 count from the end',
    ['reach < n', ['reach <= n']],
    ['n - reach', ['-(reach)']],
  ),
  ...same(`${TENSOR}functions/indexing.ts`, SYMMETRIC, [
    "where(free, keys.eq(best), Tensor.zeros([], { dtype: 'bool' }))",
    ["where(keys.eq(best), free, Tensor.zeros([], { dtype: 'bool' }))"],
  ]),
  ...same(`${CPU}matmulTile.ts`, 'without tiles all is an edge, which has the same sums', [
    '2',
    ['0'],
    'ROWS = 2',
  ]),
  ...same(`${TENSOR}composed.ts`, 'e to the power of either is 0', ['1e30', ['2e+30']]),
  ...same(`${TENSOR}composed.ts`, 'places below 0 count from the end', [
    'x.shape[3] / 2',
    ['-(x.shape[3] / 2)'],
  ]),
  ...same(
    `${TENSOR}functions/einsum.ts`,
    'an axis does not differ from itself, nor what there is not from letters',
    ['1', ['0'], 'second = 1'],
    ["result ?? ''", ['result']],
  ),
  ...same(`${TENSOR}functions/einsum.ts`, SYMMETRIC, [
    'x.permute(...others, first, second)',
    ['x.permute(...others, second, first)'],
  ]),
  ...same(`${TENSOR}functions/einsum.ts`, 'a product of matrices that are one column and one row', [
    'inner.length === 0',
    ['false'],
  ]),
  ...same(`${TENSOR}tape.ts`, COPIES, ['pending.delete(node);', ['']]),
  ...same(
    `${TENSOR}ops/binary.ts`,
    'forward broadcasts the same shapes again, and refuses the same',
    ['broadcastOrThrow(name, a, b);', ['']],
    ['broadcastOrThrow(name, a, b)', ['broadcastOrThrow(name, b, a)'], 'shape = …'],
  ),
  ...same(`${TENSOR}ops/concat.ts`, 'the first part does not differ from itself', ['odd < 0', ['odd <= 0']]),
  ...same(`${TENSOR}ops/concat.ts`, 'the first part does not differ from itself', ['0', ['1'], 'odd < 0']),
  ...same(`${TENSOR}ops/where.ts`, UNREACHABLE, ['broadcastShapes(s, t) ?? []', ['broadcastShapes(s, t)']]),
  ...same(`${TENSOR}ops/cast.ts`, INTEGERS, [
    'isFloat(dtype) && isFloat(x.buffer.dtype)',
    ['true', 'isFloat(dtype)', 'isFloat(x.buffer.dtype)', 'isFloat(dtype) || isFloat(x.buffer.dtype)'],
  ]),
  ...same(
    `${TENSOR}ops/matmul.ts`,
    ROWS_OF_ONE,
    ['a.shape.length > 2 && b.shape.length === 2', ['b.shape.length === 2']],
    ['a.shape.length > 2', ['a.shape.length >= 2']],
    ['2', ['3', '0'], 'a.shape.length > 2'],
    ['2', ['0'], 'b.shape.length === 2'],
    ['!folds(a, b)', ['true']],
  ),
  ...same(`${TENSOR}ops/matmul.ts`, COPIES, [
    'reshapeView(x, [rows, width]) ?? denseView(k.copy(x).buffer, [rows, width])',
    ['denseView(k.copy(x).buffer, [rows, width])'],
  ]),
  ...same(`${TENSOR}ops/matmul.ts`, UNREACHABLE, [
    'broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)) ?? []',
    ['broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2))'],
  ]),
  ...same(`${TENSOR}ops/movement.ts`, SYMMETRIC, [
    '[axis, start, length, step]',
    ['[start, axis, length, step]', '[axis, length, start, step]', '[axis, start, step, length]'],
  ]),
  ...same(
    `${TENSOR}ops/norm.ts`,
    'a scalar has no last axis, whose size undefined no weight has',
    ['x.shape.length > 0 && w.shape.length === 1', ['w.shape.length === 1']],
    ['x.shape.length > 0', ['x.shape.length >= 0']],
  ),
  ...same(
    `${TENSOR}ops/reduction.ts`,
    'nothing exceeds the maximum, and hits are divided by their own sum',
    ['1', ['2'], 'k.fill([], 1, x.buffer.dtype)'],
    ["k.compare('eq', x, expandView(out, x.shape))", ["k.compare('ge', x, expandView(out, x.shape))"]],
  ),
  ...same(
    `${CPU}attention.ts`,
    'probabilities of keys behind those that are seen are not read',
    ['p.fill(0);', [''], '{ const seen…'],
    ['0', ['1'], 'p.fill(0)', '{ const seen…'],
    ['s < seen', ['s <= seen'], 'for (let s = 0; s < seen; s++) p[s] /= sum;'],
  ),
  ...same(`${CPU}attention.ts`, SHIFTS, ['0', ['1'], 'sum = 0', 'function dot…']),
  ...same(`${CPU}attention.ts`, LINES, ['i < K', ['i <= K'], 'for (let i = 0; i < K; i++) sum[i]…']),
  ...same(`${CPU}elementwise.ts`, LINES, ['j < n', ['j <= n']]),
  ...same(`${CPU}swiglu.ts`, LINES, ['j < n', ['j <= n']]),
  ...same(`${CPU}indexing.ts`, 'a row of a fresh result has step 1', [
    'j * yStep',
    ['j', 'j / (yStep)'],
    'ys[yAt + j * yStep] +=…',
  ]),
  ...same(
    `${CPU}matmul.ts`,
    LINES,
    ['i < count', ['i <= count']],
    ['k < K', ['k <= K'], 'for (let k = 0; k < K; k++) lines[…'],
    ['m < M', ['m <= M']],
    ['n < N', ['n <= N']],
  ),
  ...same(
    `${CPU}norm.ts`,
    LINES,
    ['j < D', ['j <= D'], 'for (let j = 0; j < D; j++) ys[…'],
    [
      'j < D',
      ['j <= D'],
      'for (let j = 0; j < D; j++) { const n = (xs[at + j * step] - mu) * scale; const g = dys…',
    ],
    ['j < D', ['j <= D'], 'for (let j = 0; j < D; j++) { const n = xs[at + j * step] * scale; dxs…'],
  ),
  ...same(
    `${CPU}reduce.ts`,
    'compares the first with itself; an Int32Array takes 2³¹ for −2³¹',
    ['1', ['0'], 'j = 1'],
    ['-(2 ** 31)', ['(2 ** 31)']],
  ),
  ...same(
    `${CPU}rotary.ts`,
    'the walk takes its shape from the first operand, from the angles only strides',
    ['1', ['2', '0'], 'x.shape.toSpliced(1, 0, H)'],
  ),
  ...same(`${CPU}softmax.ts`, LINES, ['j < N', ['j <= N'], 'for (let j = 0; j < N; j++) dxs[…']),
  ...same(`${CPU}softmax.ts`, 'a loop to a number below 0 does not run either', [
    'Math.max(0, (row % M) + N - M + 1)',
    ['(row % M) + N - M + 1'],
  ]),
  ...same(
    `${CPU}unary.ts`,
    'about 0 both forms are right to the last bit',
    ['x >= 0', ['x > 0']],
    ['0', ['1'], 'x >= 0'],
  ),
  ...same(
    'src/nn/embedding.ts',
    'rows of another length are sorted out by their length before the place of a bad id matters',
    ['row.length !== length', ['false'], 'row.length !== length ? -1…'],
    ['-1', ['1'], 'row.length !== length ? -1…'],
    ['1', ['2', '0'], '-1'],
  ),
  ...same('src/nn/optim/adamw.ts', 'a state with one moment of two was refused before', [
    'm === undefined || v === undefined',
    ['m === undefined', 'v === undefined', '(m === undefined) && (v === undefined)'],
  ]),
  ...same('src/nn/optim/clip.ts', 'a factor of 1 changes nothing', ['factor >= 1', ['factor > 1']]),
  ...same('src/models/cogvlm/masks.ts', 'a label that is no type', ['1', ['2'], '-1']),
  ...same('src/models/cogvlm/evaVit.ts', 'expand adds the axis, too', [
    'this.cls_embedding.reshape(1, 1, E)',
    ['this.cls_embedding'],
  ]),
  ...same('src/models/cogvlm/cogvlm.ts', 'to see all keys is to see those that a mask of ones leaves', [
    'attentionMask.every((row) => row.every((seen) => seen !== 0))',
    ['false'],
  ]),
  ...same(
    'src/models/cogvlm/cogvlm.ts',
    'another number of rows is refused by either test',
    ['rows.length !== ids.length', ['false'], 'rows.length !== ids.length ? rows.length…'],
    ['rows.length === ids.length && bad < 0', ['bad < 0']],
  ),
  ...same('src/models/cogvlm/vision.ts', 'the grid is as wide as it is high', ['2', ['3'], 'y.shape[2]']),
];

const isText = (pattern: string, text: string) =>
  pattern.endsWith('…') ? text.startsWith(pattern.slice(0, -1).trimEnd()) : text === pattern;

const fits = ({ from, to, within = [] }: Equivalent, mutant: Mutant) =>
  plain(from) === plain(mutant.from) &&
  to.some((text) => plain(text) === plain(mutant.to)) &&
  within.every((around) => mutant.within.some((text) => isText(around, text)));

/** Why a mutant is no other program; null where it is one. */
export function equivalence(file: string, mutant: Mutant): string | null {
  return EQUIVALENTS.find((entry) => entry.file === file && fits(entry, mutant))?.why ?? null;
}

/** Entries and their texts that fit none of a file's mutants. */
export function staleEquivalents(file: string, mutants: readonly Mutant[]): string[] {
  return EQUIVALENTS.filter((entry) => entry.file === file).flatMap((entry) =>
    entry.to
      .filter((to) => !mutants.some((mutant) => fits({ ...entry, to: [to] }, mutant)))
      .map((to) => `${file}: no mutant "${entry.from}" → "${to}"`),
  );
}
