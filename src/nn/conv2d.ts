/**
 * Two-dimensional convolution (strictly: correlation), as torch.nn.functional.conv2d:
 *
 *   y[b, o, i, j] = bias[o] + Σ_{c, m, n} weight[o, c, m, n] · x̂[b, g·C/G + c, s·i + d·m, s·j + d·n]
 *
 * where x̂ is x with zeros around it, s the stride, d the dilation, and g the group of output channel o. Composed: the window
 * of each place becomes a column, and all windows are one product of matrices ("im2col").
 */
import { concat, requireSameDType, requireShape, ShapeError, Tensor } from '../tensor/index.ts';

/** One number for rows and columns, or one for each. */
type Pair = number | readonly [rows: number, columns: number];

/** Where windows lie, and what is added to them. */
export interface Conv2dOptions {
  /** [O] */
  readonly bias?: Tensor;
  /** Places from one window to the next. Default 1. */
  readonly stride?: Pair;
  /** Zeros before and after; 'same' gives as many places as x has, one zero more after it where they are odd. Default 0. */
  readonly padding?: Pair | 'same' | 'valid';
  /** Places from one element of a window to the next. Default 1. */
  readonly dilation?: Pair;
  /** Parts of the channels that see nothing of each other. Default 1. */
  readonly groups?: number;
}

/** What is asked of one axis. */
interface Windows {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

const OP = 'conv2d';

/** x with zeros before and after along an axis. */
function padded(x: Tensor, axis: number, { before, after }: Windows): Tensor {
  if (before === 0 && after === 0) return x;
  const zeros = (n: number) => Tensor.zeros(x.shape.with(axis, n), { dtype: x.dtype });
  return concat([zeros(before), x, zeros(after)], axis);
}

/** Along an axis, the elements of the first window, of the second, …: [n] → [places, kernel] in its place. */
function unfolded(x: Tensor, axis: number, { kernel, stride, dilation }: Windows): Tensor {
  const places = Math.floor((x.shape[axis] - (kernel - 1) * dilation - 1) / stride) + 1;
  const shape = [...x.shape.slice(0, axis), places, kernel, ...x.shape.slice(axis + 1)];
  if (stride === kernel && dilation === 1) return x.slice(axis, 0, places * kernel).reshape(...shape);
  const at = Array.from(
    { length: places * kernel },
    (_, i) => Math.floor(i / kernel) * stride + (i % kernel) * dilation,
  );
  const index = Tensor.fromArray(at, [at.length], { dtype: 'int32' });
  // The axis first and all others as one: whole rows are copied.
  const others = x.shape.flatMap((_, a) => (a === axis ? [] : [a]));
  const rows = x.permute(axis, ...others).reshape(x.shape[axis], x.size / x.shape[axis]);
  const taken = rows.gatherRows(index).reshape(at.length, ...others.map((a) => x.shape[a]));
  return taken.permute(...x.shape.map((_, a) => (a === axis ? 0 : 1 + others.indexOf(a)))).reshape(...shape);
}

function pair(name: string, value: Pair, least: number): readonly [number, number] {
  const both = typeof value === 'number' ? ([value, value] as const) : value;
  if (both.every((n) => Number.isInteger(n) && n >= least)) return both;
  throw new RangeError(
    `${OP}(x, weight): ${name}: needs whole numbers from ${least}, got ${both.join(', ')}`,
  );
}

function windowsOf(kernel: readonly number[], options: Conv2dOptions): readonly Windows[] {
  const { padding = 0 } = options;
  const stride = pair('stride', options.stride ?? 1, 1);
  const dilation = pair('dilation', options.dilation ?? 1, 1);
  const around = typeof padding === 'string' ? null : pair('padding', padding, 0);
  if (padding === 'same' && stride.some((step) => step !== 1)) {
    throw new RangeError(`${OP}(x, weight): padding: 'same' needs stride 1, got ${stride.join(', ')}`);
  }
  return kernel.map((k, i) => {
    const spare = padding === 'same' ? (k - 1) * dilation[i] : 0;
    const before = around?.[i] ?? Math.floor(spare / 2);
    return {
      kernel: k,
      stride: stride[i],
      dilation: dilation[i],
      before,
      after: around?.[i] ?? spare - before,
    };
  });
}

/**
 * Convolution of pictures in batches, as the equation above has it.
 * @shape x [B, C, height, width], weight [O, C/groups, rows, columns] → [B, O, h, w]
 * @throws ShapeError where channels do not fit, or a window is larger than x with its zeros; DTypeError where dtypes differ;
 * RangeError where an option is not a whole number, or 'same' meets a stride
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, groups: G = 1 } = options;
  const inputs = { x: x.view, weight: weight.view, ...(bias === undefined ? {} : { bias: bias.view }) };
  requireSameDType(OP, inputs);
  requireShape(OP, 'x', x.view, ['B', 'C', 'H', 'W']);
  requireShape(OP, 'weight', weight.view, ['O', 'C/G', 'k', 'l']);
  const [B, C] = x.shape;
  const [O, part, ...kernel] = weight.shape;
  if (bias !== undefined) requireShape(OP, 'bias', bias.view, [O]);
  if (!Number.isInteger(G) || G < 1 || part * G !== C || O % G !== 0) {
    const rule = `${G} groups of ${part} channels do not make ${C}, or ${O} are not to be divided by ${G}`;
    throw new ShapeError({ op: OP, argument: 'weight', axis: 1, got: { x, weight }, rule });
  }
  const windows = windowsOf(kernel, options);
  for (const [i, { kernel: k, dilation, before, after }] of windows.entries()) {
    const [span, size] = [(k - 1) * dilation + 1, x.shape[2 + i] + before + after];
    if (k > 0 && span <= size) continue;
    const rule = `a window of ${span} does not fit into ${size}`;
    throw new ShapeError({ op: OP, argument: 'weight', axis: 2 + i, got: { x, weight }, rule });
  }
  const [rows, columns] = windows;
  const tall = unfolded(padded(x, 2, rows), 2, rows); // [B, C, h, k, W]
  const all = unfolded(padded(tall, 4, columns), 4, columns); // [B, C, h, k, w, l]
  const [h, w] = [all.shape[2], all.shape[4]];
  const K = part * kernel[0] * kernel[1];
  const patches = all.permute(0, 1, 3, 5, 2, 4).reshape(B, G, K, h * w);
  const y = weight
    .reshape(G, O / G, K)
    .matmul(patches)
    .reshape(B, O, h, w);
  return bias === undefined ? y : y.add(bias.reshape(O, 1, 1));
}
