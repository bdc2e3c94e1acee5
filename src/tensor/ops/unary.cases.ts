import type { UnaryName } from '../../kernels/index.ts';
import type { Cases, Sample } from '../sample.ts';

type NoAttrs = Record<never, never>;

const { POSITIVE_INFINITY: INFINITY, NaN: NAN } = Number;

/** Ends of the number line, both zeros, and what float32 holds at the ends of its range. */
const ENDS = [-INFINITY, -3e38, -1e-37, -0, 0, 1e-37, 3e38, INFINITY, NAN];

/**
 * @param range of generated numbers
 * @param farValues where the function is flat or steep, but differences still work
 * @param ends others than the usual
 */
function casesOf(
  name: UnaryName,
  range: readonly [number, number] = [-3, 3],
  farValues: readonly number[] = [],
  ends: readonly number[] = ENDS,
): Cases<NoAttrs> {
  const values = (note: string, numbers: readonly number[]): Sample<NoAttrs> => ({
    note,
    inputs: [{ shape: [numbers.length], values: numbers }],
    attrs: {},
  });
  return {
    torch: `torch.${name}(x)`,
    samples: [
      { note: 'plain', inputs: [{ shape: [3, 5], range }], attrs: {} },
      { note: 'scalar', inputs: [{ shape: [], range }], attrs: {} },
      { note: 'zero size', inputs: [{ shape: [2, 0], range }], attrs: {} },
      { note: 'size-1 axes', inputs: [{ shape: [1, 1, 1], range }], attrs: {} },
      { note: 'a thousand', inputs: [{ shape: [10, 101], range: [range[0], 3 * range[1]] }], attrs: {} },
      { note: 'transposed', inputs: [{ shape: [4, 3], range, layout: 'transposed' }], attrs: {} },
      { note: 'strided', inputs: [{ shape: [7], range, layout: 'strided' }], attrs: {} },
      ...(farValues.length === 0 ? [] : [values('far values', farValues)]),
      {
        ...values('the ends', ends),
        noDifferences: 'infinities, kinks, and numbers that a step does not change',
      },
    ],
    errors: [
      {
        note: 'integers',
        inputs: [{ shape: [2], dtype: 'int32' }],
        attrs: {},
        error: 'DTypeError',
        says: `${name}(x): x: needs float32 or float64: x is int32[2]`,
      },
    ],
  };
}

export const neg = casesOf('neg');
export const exp = casesOf('exp');
export const log = casesOf('log', [0.3, 4]);
export const sqrt = casesOf('sqrt', [0.3, 4]);
export const abs = casesOf('abs', [0.1, 3]);
// Beyond some 10⁵ radians float32 implementations differ in how they bring the angle back to one turn.
const ANGLES = [-INFINITY, -1e4, -1e-37, -0, 0, 1e-37, 1e4, INFINITY, NAN];
export const sin = casesOf('sin', [-3, 3], [-100, 50], ANGLES);
export const cos = casesOf('cos', [-3, 3], [-100, 50], ANGLES);
export const tanh = casesOf('tanh', [-3, 3], [-40, 40]);
export const erf = casesOf('erf', [-3, 3], [-8, 8]);
export const sigmoid = casesOf('sigmoid', [-3, 3], [-90, 90]);
export const relu = casesOf('relu', [0.1, 3], [-5, 5]);
// x·0 at −∞ is NaN; what the slope is where the value is NaN is nobody's concern.
const FINITE_ENDS = ENDS.filter((x) => Math.abs(x) !== INFINITY);
export const silu = { ...casesOf('silu', [-3, 3], [-90, 90], FINITE_ENDS), torch: 'F.silu(x)' };
export const gelu: Cases<NoAttrs> = {
  ...casesOf('gelu', [-3, 3], [-12, 12], FINITE_ENDS),
  torch: 'F.gelu(x)',
  // PyTorch's own loses the tail on the left, where 1 + erf cancels.
  truth: 'x * 0.5 * torch.erfc(-x * math.sqrt(0.5))',
};
